import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type RedisServer, startRedis } from "@trivault/testkit";
import type { Redis } from "ioredis";
import { once } from "./idempotency.ts";
import { connectRedis } from "./redis.ts";

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, "fail-fast");
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});
beforeEach(async () => void (await redis.flushall()));

const request = (key: string | undefined, content: unknown = "a") => ({ scope: "POST token:ci", key, content });
/** Counts how often it was done, and answers with its seed. */
function work() {
  const seeds: string[] = [];
  const run = async (seed: string) => {
    seeds.push(seed);
    return { seed };
  };
  return { seeds, run };
}

test("a key is done once, also from another process and when all come at once; no key is done each time", async () => {
  const { seeds, run } = work();
  const other = connectRedis(server.url, "fail-fast");
  const all = await Promise.all([redis, other, redis, other].map((each) => once(each, request("k"), run)));
  expect(new Set(all.map(({ answer }) => answer.seed)).size).toBe(1);
  expect(all.filter(({ first }) => first)).toHaveLength(1);
  expect(seeds).toHaveLength(1);
  await once(redis, request("other"), run);
  await once(redis, request(undefined), run);
  await once(redis, request(undefined), run);
  expect(seeds).toHaveLength(4);
  other.disconnect();
});

test("a key that came with another request is refused; one of another caller is another key", async () => {
  const { seeds, run } = work();
  await once(redis, request("k"), run);
  await expect(once(redis, request("k", "b"), run)).rejects.toMatchObject({ code: "KEY_REUSED", permanent: true });
  await once(redis, { ...request("k", "b"), scope: "POST token:deploy" }, run);
  expect(seeds).toHaveLength(2);
});

test("work that failed leaves no trace, so that it can be asked for again", async () => {
  const { seeds, run } = work();
  const failing = once(redis, request("k"), () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(await once(redis, request("k"), run)).toMatchObject({ first: true });
  expect(seeds).toHaveLength(1);
});

test("what a server that died had begun is gone on with, under the same ids", async () => {
  const { seeds, run } = work();
  const never = once(redis, request("k"), () => new Promise<never>(() => {}));
  never.catch(() => undefined);
  const [name] = await waitForKey();
  await expect(once(redis, request("k"), run)).rejects.toMatchObject({ code: "EXISTS" });
  const claim = JSON.parse((await redis.get(name)) ?? "") as { seed: string; at: number };
  await redis.set(name, JSON.stringify({ ...claim, at: claim.at - 60_000 }));
  expect(await once(redis, request("k"), run)).toEqual({ first: false, answer: { seed: claim.seed } });
  expect(await once(redis, request("k"), run)).toEqual({ first: false, answer: { seed: claim.seed } });
  expect(seeds).toEqual([claim.seed]);
}, 30_000);

async function waitForKey(): Promise<[string]> {
  for (;;) {
    const [name] = await redis.keys("trivault:idempotency:*");
    if (name !== undefined) return [name];
  }
}
