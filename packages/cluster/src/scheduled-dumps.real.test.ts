import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type AuditLog, auditFolder, openAuditLog } from "@trivault/audit";
import { type DumpResult, listSlotRuns, openDumpSlots, runDirectory } from "@trivault/backup";
import { type Config, type DatabaseConfig, resolveConfig, silentLogger } from "@trivault/core";
import {
  closeQueues,
  connectRedis,
  knownSlots,
  openQueues,
  promoteDumps,
  type JobKey,
  type Queues,
  requestBackup,
  startWorker,
} from "@trivault/queue";
import { makeTempDir, type RedisServer, startRedis, until } from "@trivault/testkit";
import { type DumpHandlerDeps, dumpHandler } from "./dump-handler.ts";
import { createDumpLimit } from "./dump-limit.ts";
import { openSite } from "./open-site.ts";
import { scheduleQueue } from "./schedule-queue.ts";
import { createScheduler, startScheduler } from "./scheduler.ts";

const HOUR = 3_600_000;
type Dump = DumpHandlerDeps["dump"];
type Redis = ReturnType<typeof connectRedis>;

let stack: AsyncDisposableStack;
let server: RedisServer;
let redis: Redis;
let queues: Queues;
let folder: string;
let history: AuditLog;
let now: Date;
const key: JobKey = async () => Buffer.alloc(32, "of the tests");
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = stack.use(await makeTempDir("tv-schedule")).path;
  server = stack.use(await startRedis());
  redis = connect();
  queues = openQueues(redis, key);
  stack.defer(() => closeQueues(queues));
  now = new Date("2026-11-23T10:00:00Z");
  history = openAuditLog(auditFolder(folder), { now: () => now });
  stack.defer(() => history.close());
});
afterEach(() => stack.disposeAsync());

function connect(): Redis {
  const connection = connectRedis(server.url, "wait");
  stack.defer(() => connection.disconnect());
  return connection;
}

/** `count` databases, each at the full hour, in turn on each of the servers. */
function configure(count: number, servers: readonly string[], limits: Partial<Config["limits"]>): Config {
  const config = resolveConfig(
    { DATABASE_URL: "postgresql://u:p@h/shop", BACKUP_DIR: folder, BACKUP_ENCRYPTION: "none" },
    "read",
  );
  const databases = Array.from({ length: count }, (_, index): DatabaseConfig => {
    const url = `postgresql://u:p@${servers[index % servers.length]}/db${index}`;
    return { ...(config.databases[0] as DatabaseConfig), name: `db${index}`, url, priority: 1 + (index % 10) };
  });
  const worker = { ...config.worker, takeoverSeconds: 5, concurrency: { ...config.worker.concurrency, dump: 4 } };
  return { ...config, databases, worker, limits: { ...config.limits, spreadSeconds: 0, ...limits } };
}

/** What one more worker process of the site would do, but for the dump itself. */
async function startProcess(config: Config, dump: Dump): Promise<{ close(): Promise<void> }> {
  const connection = connect();
  const site = { ...(await openSite(config, () => now)), record: history.record };
  const limit = createDumpLimit(openDumpSlots(config), (ids) => promoteDumps(queues, ids), silentLogger());
  const handler = dumpHandler({
    site,
    history,
    limit,
    dump,
    isQueued: async (slot) => (await knownSlots(queues, [slot])).size > 0,
    stageContext: (context) => ({ ...context, start: async () => undefined }),
  });
  const worker = startWorker(connection, "dump", config.worker, silentLogger(), handler, { key });
  const close = async () => {
    await worker.close(0);
    limit.close();
    await site.close();
  };
  stack.defer(close);
  return { close };
}

function schedulerOf(config: Config) {
  const { limits, databases } = config;
  return {
    limits,
    tiers: [],
    databases: async () => databases,
    queue: scheduleQueue(queues, connect()),
    history,
    running: () => listSlotRuns(config),
    now: () => now,
    log: silentLogger(),
  };
}

/** Leaves on disk what a dump leaves while it runs, and takes `ms`. */
function fakeDump(ms: number, seen: (database: string, slot: string | undefined) => (() => void) | void): Dump {
  return async (site, { slot, ...ref }): Promise<DumpResult> => {
    const run = runDirectory(site.config, ref.backupId);
    await mkdir(run.path, { recursive: true });
    await writeFile(path.join(run.path, "run.json"), JSON.stringify({ database: ref.database, slot }));
    await writeFile(run.dumpLease, "me 1");
    const ended = seen(ref.database, slot);
    await sleep(ms);
    ended?.();
    await rm(run.path, { recursive: true });
    return { ...ref, bytes: 1, rows: null, seconds: ms / 1000 };
  };
}

describe("the schedule", () => {
  test("makes one run per slot, with two schedulers, twenty restarts of them, and Redis wiped again and again", async () => {
    const config = configure(6, ["db1:5432", "db2:5432"], { dumpsPerServer: 4, dumpsPerSite: 8 });
    const runs: string[] = [];
    const dump = fakeDump(30, (database, slot) => void runs.push(`${database} ${slot}`));
    await startProcess(config, dump);
    await startProcess(config, dump);
    const start = () => startScheduler({ ...schedulerOf(config), tickMs: 20 });
    const schedulers = [start(), start()];
    const slots = Array.from({ length: 24 }, (_, hour) => new Date(now.getTime() + hour * HOUR));
    const wanted = new Set<string>();
    for (const [hour, slot] of slots.entries()) {
      now = new Date(slot.getTime() + 60_000);
      for (const { name } of config.databases) wanted.add(`${name} ${slot.toISOString()}`);
      await sleep(hour % 3 === 0 ? 30 : 0);
      if (hour % 4 === 1) await redis.flushall();
      if (hour < 20) {
        schedulers[hour % 2]?.close();
        schedulers[hour % 2] = start();
      }
      await until(() => wanted.size <= new Set(runs).size);
      if (hour % 4 === 3) await redis.flushall();
      await until(
        async () => (await Array.fromAsync(history.query({ from: slot, action: "backup.dump" }))).length >= 6,
      );
    }
    await sleep(300);
    for (const scheduler of schedulers) scheduler.close();
    expect(runs.toSorted()).toEqual([...wanted].toSorted());
    const events = await Array.fromAsync(history.query({ action: "backup.dump" }));
    expect(events.filter(({ outcome }) => outcome === "ok")).toHaveLength(144);
    expect(await Array.fromAsync(history.query({ action: "schedule.missed" }))).toEqual([]);
  }, 120_000);

  test("misses of a long pause are one run each, recorded once", async () => {
    const config = configure(3, ["db1:5432"], {});
    const runs: string[] = [];
    await startProcess(
      config,
      fakeDump(1, (database, slot) => void runs.push(`${database} ${slot?.slice(11, 16)}`)),
    );
    await createScheduler(schedulerOf(config)).look();
    await until(async () => (await Array.fromAsync(history.query({}))).length === 3);
    now = new Date("2026-11-23T15:20:00Z");
    await redis.flushall();
    await Promise.all([createScheduler(schedulerOf(config)).look(), createScheduler(schedulerOf(config)).look()]);
    await until(() => runs.length === 6);
    expect(runs.slice(3).toSorted()).toEqual(["db0 15:00", "db1 15:00", "db2 15:00"]);
    const missed = await Array.fromAsync(history.query({ action: "schedule.missed" }));
    expect(missed.map(({ database, details }) => ({ database, ...details }))).toEqual(
      expect.arrayContaining(
        ["db0", "db1", "db2"].map((database) => ({
          database,
          slot: "2026-11-23T15:00:00.000Z",
          missed: 4,
          lateSeconds: 1200,
        })),
      ),
    );
    expect(missed).toHaveLength(3);
  });

  test("slots that piled up while no dump could be made are one run, of the newest", async () => {
    const config = configure(2, ["db1:5432"], {});
    const scheduler = createScheduler(schedulerOf(config));
    for (let hour = 0; hour < 4; hour++, now = new Date(now.getTime() + HOUR)) await scheduler.look();
    now = new Date("2026-11-23T13:10:00Z");
    const runs: string[] = [];
    await startProcess(
      config,
      fakeDump(1, (database, slot) => void runs.push(`${database} ${slot?.slice(11, 16)}`)),
    );
    await until(async () => (await queues.dump.getCompletedCount()) === 8);
    expect(runs.toSorted()).toEqual(["db0 13:00", "db1 13:00"]);
    expect(await Array.fromAsync(history.query({ action: "schedule.missed" }))).toHaveLength(6);
  });

  test("a slot whose dump runs on while Redis is wiped is not dumped a second time", async () => {
    const config = configure(1, ["db1:5432"], { dumpsPerServer: 2 });
    let dumps = 0;
    await startProcess(
      config,
      fakeDump(1500, () => void dumps++),
    );
    await createScheduler(schedulerOf(config)).look();
    await until(() => dumps === 1);
    await redis.flushall();
    await createScheduler(schedulerOf(config)).look();
    await until(async () => (await queues.dump.getDelayedCount()) === 1);
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    expect(dumps).toBe(1);
  });
});

describe("the limits", () => {
  test("hold for each server and for the site, over two workers", async () => {
    const config = configure(40, ["db1:5432", "db2:5432", "db3:5432", "db4:5432"], {
      dumpsPerServer: 1,
      dumpsPerSite: 3,
    });
    const serverOf = (database: string) => Number(database.slice(2)) % 4;
    const running = new Map<number, number>();
    let most = 0;
    let mostOfSite = 0;
    let dumped = 0;
    const dump = fakeDump(40, (database) => {
      const index = serverOf(database);
      running.set(index, (running.get(index) ?? 0) + 1);
      most = Math.max(most, ...running.values());
      mostOfSite = Math.max(
        mostOfSite,
        running.values().reduce((a, b) => a + b, 0),
      );
      dumped++;
      return () => running.set(index, (running.get(index) ?? 0) - 1);
    });
    await createScheduler(schedulerOf(config)).look();
    await requestBackup(queues, redis, { database: "db39", actor: "user:me@here" });
    await startProcess(config, dump);
    await startProcess(config, dump);
    await until(() => dumped === 41);
    expect({ most, mostOfSite }).toEqual({ most: 1, mostOfSite: 3 });
    const events = await Array.fromAsync(
      history.query({ action: "backup.dump", outcome: "ok", actor: "user:me@here" }),
    );
    expect(events.map(({ database, details }) => [database, details?.["slot"]])).toEqual([["db39", undefined]]);
  }, 120_000);

  test("what was asked for by hand goes before all that the schedule asked for earlier", async () => {
    const config = configure(20, ["db1:5432", "db2:5432"], {});
    const order: (string | undefined)[] = [];
    await createScheduler(schedulerOf(config)).look();
    await requestBackup(queues, redis, { database: "db19", actor: "user:me@here" });
    const dump = fakeDump(1, (database, slot) => void order.push(slot === undefined ? database : undefined));
    // One at a time, so that none is put off for another and comes back in its own time.
    const worker = { ...config.worker, concurrency: { ...config.worker.concurrency, dump: 1 } };
    await startProcess({ ...config, worker }, dump);
    await until(() => order.length === 21);
    expect(order).toEqual(["db19", ...Array.from({ length: 20 }, () => undefined)]);
  });

  test("a hundred jobs behind one server cost Redis little while they wait, lose nothing by it, and hold up no other server", async () => {
    const config = configure(101, ["db1:5432"], { dumpsPerServer: 1, dumpsPerSite: 4 });
    const databases = config.databases.map((database, index) =>
      index < 100 ? database : { ...database, url: "postgresql://u:p@db2/db" },
    );
    const dumped: string[] = [];
    await startProcess(
      { ...config, databases },
      fakeDump(5, (database) => void dumped.push(database)),
    );
    const held = await openDumpSlots(config).take(
      { database: "another", server: "db1:5432" },
      new AbortController().signal,
    );
    await createScheduler(schedulerOf({ ...config, databases })).look();
    await until(async () => dumped.length === 1 && (await queues.dump.getDelayedCount()) === 100);
    expect(dumped).toEqual(["db100"]);
    const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await redis.info("stats"))?.[1]);
    const before = await commands();
    const begun = performance.now();
    await sleep(1000);
    const perSecond = ((await commands()) - before) / ((performance.now() - begun) / 1000);
    expect(perSecond).toBeLessThan(200);
    await held?.release();
    await until(async () => dumped.length === 101);
    expect(new Set(dumped).size).toBe(101);
    await until(async () => (await queues.dump.getCompletedCount()) === 101);
    process.stdout.write(`${perSecond.toFixed(0)} commands of Redis a second while 100 jobs wait\n`);
  }, 120_000);
});
