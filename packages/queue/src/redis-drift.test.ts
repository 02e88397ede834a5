import { expect, test } from "@jest/globals";
import { redisDrift } from "./redis-drift.ts";

const answering = (theirs: () => number) => {
  let asked = 0;
  const time = async () => {
    asked += 1;
    const ms = theirs();
    return [Math.floor(ms / 1000), (ms % 1000) * 1000];
  };
  return { redis: { time } as unknown as Parameters<typeof redisDrift>[0], asked: () => asked };
};

test("says how far this clock is ahead once Redis has answered, and asks it once a minute", async () => {
  const { redis, asked } = answering(() => Date.now() - 30_000);
  const drift = redisDrift(redis);
  expect(drift()).toBeNull();
  await new Promise(setImmediate);
  expect(drift()).toBeGreaterThan(25);
  expect(drift()).toBeLessThan(35);
  expect(asked()).toBe(1);
});

test("a Redis that does not answer is not waited for", async () => {
  const away = { time: () => Promise.reject(new Error("away")) } as unknown as Parameters<typeof redisDrift>[0];
  const drift = redisDrift(away);
  expect(drift()).toBeNull();
  await new Promise(setImmediate);
  expect(drift()).toBeNull();
});
