import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { resolveConfig, silentLogger } from "@trivault/core";
import { type RedisServer, startRedis, until } from "@trivault/testkit";
import type { Redis } from "ioredis";
import { requestBackup } from "./producer.ts";
import type { JobKey } from "./job-key.ts";
import { closeQueues, openQueues, type Queues } from "./queues.ts";
import { connectRedis } from "./redis.ts";
import {
  addMaintenance,
  addSlots,
  knownSlots,
  promoteDumps,
  removeOldSchedulers,
  slotJobId,
  startMaintenance,
  watchForLoss,
} from "./slots.ts";
import { type Handler, RunLater, type RunningWorker, startWorker } from "./worker.ts";

const key: JobKey = async () => Buffer.alloc(32, "of the tests");
let server: RedisServer;
let redis: Redis;
let queues: Queues;
let running: RunningWorker[] = [];
beforeEach(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, "wait");
  queues = openQueues(redis, key);
});
afterEach(async () => {
  for (const worker of running) await worker.close(0);
  running = [];
  await closeQueues(queues);
  redis.disconnect();
  await server.stop();
});

const config = resolveConfig({ WORKER_TAKEOVER_SECONDS: "5" }, "read").worker;
function work(run: Handler["run"]): void {
  running.push(startWorker(redis, "dump", config, silentLogger(), { run }, { key }));
}

describe("slots", () => {
  const slot = new Date("2026-11-23T02:00:00Z");
  const slots = Array.from({ length: 10 }, (_, index) => ({
    database: `Ünusual: ${index}`,
    slot,
    priority: 1 + index,
  }));

  test("are one run each, whoever asks and however often; those that were run stay known", async () => {
    await Promise.all(Array.from({ length: 20 }, () => addSlots(queues, slots)));
    expect(await queues.dump.getPrioritizedCount()).toBe(10);
    work(async () => ({}));
    await until(async () => (await queues.dump.getCompletedCount()) === 10);
    await addSlots(queues, slots);
    expect(await queues.dump.getPrioritizedCount()).toBe(0);
    const next = { database: "Ünusual: 0", slot: new Date("2026-11-23T03:00:00Z") };
    expect(await knownSlots(queues, [...slots, next])).toEqual(new Set(slots));
    expect(slotJobId("Ünusual: 0", slot)).toMatch(/^slot\.[~\w-]+\.20261123t020000z$/);
  });

  test("go by priority, and what was asked for by hand goes before them; no job carries a secret", async () => {
    await addSlots(queues, slots.toReversed());
    const { runId } = await requestBackup(queues, redis, { database: "shop", actor: "user:me@here" });
    const seen: unknown[] = [];
    const one = { ...config, concurrency: { ...config.concurrency, dump: 1 } };
    const run: Handler["run"] = async (data, _context, job) => {
      seen.push(job.id === runId ? "by hand" : job.priority);
      expect(Object.keys(data as object).toSorted()).toEqual(
        job.id === runId ? ["actor", "database"] : ["actor", "database", "slot"],
      );
      return {};
    };
    running.push(startWorker(redis, "dump", one, silentLogger(), { run }, { key }));
    await until(async () => seen.length === 11);
    expect(seen).toEqual(["by hand", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("a job that cannot begin yet comes back when it is called, as it was, however often it was put off", async () => {
    let calls = 0;
    work(async (_data, { attempt }, { priority }) => {
      if (++calls <= 40) throw new RunLater(3_600_000);
      return { attempt, priority };
    });
    await addSlots(queues, slots.slice(3, 4));
    const id = slotJobId("Ünusual: 3", slot);
    for (let call = 1; call <= 40; call++) {
      await until(async () => (await queues.dump.getDelayedCount()) === 1);
      expect(calls).toBe(call);
      await promoteDumps(queues, [id, "unknown"]);
    }
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    expect((await queues.dump.getJob(id))?.returnvalue).toEqual({ attempt: 1, priority: 4 });
    await promoteDumps(queues, [id]);
  });

  test("what Redis may have lost is noticed: wiped, or gone for a while", async () => {
    const connection = connectRedis(server.url, "wait");
    const mayHaveLost = watchForLoss(connection);
    const other = watchForLoss(redis);
    await connection.ping();
    expect(await mayHaveLost()).toBe(true);
    expect(await other()).toBe(true);
    expect([await mayHaveLost(), await other()]).toEqual([false, false]);
    await redis.flushall();
    expect([await mayHaveLost(), await other()]).toEqual([true, true]);
    expect([await mayHaveLost(), await other()]).toEqual([false, false]);
    connection.disconnect(true);
    expect(await mayHaveLost()).toBe(true);
    expect(await mayHaveLost()).toBe(false);
    connection.disconnect();
  });

  test("maintenance is one job per tier and slot, and at most one a minute beside them", async () => {
    await Promise.all(Array.from({ length: 5 }, () => addMaintenance(queues, "cloud", slot)));
    await Promise.all(Array.from({ length: 5 }, () => startMaintenance(queues, "cloud")));
    await startMaintenance(queues, "remote");
    const tiers = (await queues.maintenance.getWaiting()).map(({ data }) => String(data.tier));
    expect(tiers.join()).toBe("cloud,cloud,remote");
  });

  test("BullMQ's own schedules, which earlier versions left in Redis, make no more jobs", async () => {
    await queues.dump.upsertJobScheduler("database-shop", { pattern: "0 3 * * *" }, { name: "dump", data: {} });
    await queues.maintenance.upsertJobScheduler("maintenance", { pattern: "*/15 * * * *" }, { name: "maintenance" });
    await removeOldSchedulers(queues);
    expect(await queues.dump.getJobSchedulers()).toEqual([]);
    expect([await queues.dump.getDelayedCount(), await queues.maintenance.getDelayedCount()]).toEqual([0, 0]);
  });
});
