import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { QUEUES, resolveConfig, silentLogger } from "@trivault/core";
import { type RedisServer, startRedis, until } from "@trivault/testkit";
import type { Redis } from "ioredis";
import { requestBackup } from "./producer.ts";
import { queueStates } from "./queue-states.ts";
import type { JobKey } from "./job-key.ts";
import { closeQueues, openQueues, type Queues } from "./queues.ts";
import { connectRedis } from "./redis.ts";
import { addSlots } from "./slots.ts";
import { type JobEnd, startWorker } from "./worker.ts";

const key: JobKey = async () => Buffer.alloc(32, "of the tests");
let server: RedisServer;
let redis: Redis;
let queues: Queues;
beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, "fail-fast");
  queues = openQueues(redis, key);
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  await closeQueues(queues);
  redis.disconnect();
  await server.stop();
});

const config = resolveConfig({ WORKER_TAKEOVER_SECONDS: "5" }, "read").worker;
const later = (seconds: number) => new Date(Date.now() + seconds * 1000);
const stateOf = async (queue: string, now = new Date()) =>
  (await queueStates(queues, now)).find((state) => state.queue === queue);

test("an empty site: every queue, and nobody who serves it", async () => {
  const none = { waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0, workers: 0, oldestWaitingSeconds: null };
  expect(await queueStates(queues, new Date())).toEqual(QUEUES.map((queue) => ({ queue, ...none })));
});

test("jobs with and without priority wait together; the oldest of them counts", async () => {
  await addSlots(queues, [
    { database: "a", slot: new Date(0), priority: 9 },
    { database: "b", slot: new Date(0), priority: 1 },
  ]);
  const prioritized = await stateOf("dump", later(100));
  expect(prioritized).toMatchObject({ waiting: 2, workers: 0 });
  expect(prioritized?.oldestWaitingSeconds).toBeGreaterThanOrEqual(100);
  await requestBackup(queues, redis, { database: "shop", actor: "token:default" });
  const all = await stateOf("dump", later(100));
  expect(all?.waiting).toBe(3);
  expect(all?.oldestWaitingSeconds).toBeGreaterThanOrEqual(prioritized?.oldestWaitingSeconds ?? Infinity);
  await queues.dump.pause();
  expect(await stateOf("dump")).toMatchObject({ waiting: 3, oldestWaitingSeconds: expect.any(Number) });
  await queues.dump.resume();
});

test("a worker is counted, and reports how each job ended", async () => {
  for (const database of ["a", "b", "c"]) await requestBackup(queues, redis, { database, actor: "token:default" });
  const ends: JobEnd[] = [];
  let running = 0;
  const waits = connectRedis(server.url, "wait");
  let begun = 0;
  const run = async () => {
    if (++begun === 1) throw new Error("not this time");
    return { bytes: 7 };
  };
  const onJob = () => {
    running++;
    return (end: JobEnd) => {
      running--;
      ends.push(end);
    };
  };
  const worker = startWorker(waits, "dump", config, silentLogger(), { run }, { onJob, key });
  await until(async () => ends.length >= 3);
  await until(async () => (await stateOf("dump"))?.completed === 2);
  expect(running).toBe(0);
  expect(ends.map(({ outcome, bytes }) => ({ outcome, bytes }))).toEqual([
    { outcome: "retried", bytes: 0 },
    { outcome: "completed", bytes: 7 },
    { outcome: "completed", bytes: 7 },
  ]);
  expect(ends.every(({ seconds }) => seconds >= 0)).toBe(true);
  const state = await stateOf("dump");
  expect(state).toMatchObject({ workers: 1, waiting: 0 });
  // The one that failed comes back in some seconds, by its back-off.
  expect((state?.delayed ?? 0) + (state?.completed ?? 0) + (state?.active ?? 0)).toBe(3);
  expect(worker.isRunning()).toBe(true);
  await worker.close(0);
  expect(worker.isRunning()).toBe(false);
  await until(async () => (await stateOf("dump"))?.workers === 0);
  waits.disconnect();
});

test("a Redis that is away is an error within seconds", async () => {
  const gone = connectRedis("redis://127.0.0.1:1", "fail-fast");
  const theirs = openQueues(gone, key);
  await expect(queueStates(theirs, new Date())).rejects.toMatchObject({ code: "QUEUE_UNREACHABLE" });
  await closeQueues(theirs);
  gone.disconnect();
});
