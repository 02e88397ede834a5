import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { appUnderTest, BEARER, closeApps } from "../test/app-under-test.ts";

afterEach(closeApps);

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
});
afterEach(() => {
  jest.useRealTimers();
});

test("a flood of requests without a token is one event at once and one a minute, with their number", async () => {
  const { app, events } = appUnderTest();
  const knock = (remoteAddress: string) => app.inject({ url: "/api/v1/backups", remoteAddress });
  for (let i = 0; i < 50; i += 1) expect((await knock("10.0.0.1")).statusCode).toBe(401);
  expect(events).toMatchObject([
    {
      action: "access.refused",
      outcome: "refused",
      error: { code: "UNAUTHORIZED" },
      details: { ip: "10.0.0.1", count: 1 },
    },
  ]);
  jest.advanceTimersByTime(60_000);
  expect(events.slice(1)).toMatchObject([{ details: { ip: "10.0.0.1", count: 49 } }]);
  jest.advanceTimersByTime(180_000);
  expect(events).toHaveLength(2);
  await knock("10.0.0.1");
  expect(events).toHaveLength(3);
});

test("a flood from a thousand addresses is a few events as well", async () => {
  const { app, events } = appUnderTest();
  for (let i = 0; i < 1000; i += 1) {
    await app.inject({ url: "/api/v1/backups", remoteAddress: `10.0.${i >> 8}.${i & 255}` });
  }
  jest.advanceTimersByTime(60_000);
  expect(events.length).toBeLessThanOrEqual(22);
  expect(events.reduce((sum, { details }) => sum + Number(details?.["count"]), 0)).toBe(1000);
});

test("what was counted is written when the API is closed, and a good token is no event", async () => {
  const { app, events } = appUnderTest();
  await app.inject({ url: "/api/v1/openapi.json", headers: BEARER });
  expect(events).toEqual([]);
  for (let i = 0; i < 3; i += 1) await app.inject({ url: "/api/v1/backups" });
  await app.close();
  expect(events.map(({ details }) => details?.["count"])).toEqual([1, 2]);
});
