import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  createLogger,
  newBackupId,
  resolveConfig,
  silentLogger,
  TrivaultError,
  type WorkerConfig,
} from "@trivault/core";
import { makeTempDir, type RedisServer, startRedis, until } from "@trivault/testkit";
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { copyQueueOf, type RestoreJob } from "./jobs.ts";
import { jobDetails } from "./job-details.ts";
import { requestBackup, startCopy, startEncrypt, startRestore } from "./producer.ts";
import type { JobKey } from "./job-key.ts";
import { closeQueues, KEY_PREFIX, openQueues, type Queues } from "./queues.ts";
import { queueStates } from "./queue-states.ts";
import { checkRedis, connectRedis } from "./redis.ts";
import { redisDrift } from "./redis-drift.ts";
import { runStatus } from "./runs.ts";
import { type Handler, type RefusedJob, type RunningWorker, startWorker } from "./worker.ts";

const key: JobKey = async () => Buffer.alloc(32, "of the tests");
let server: RedisServer;
let redis: Redis;
let queues: Queues;
let running: RunningWorker[] = [];
let refused: RefusedJob[] = [];
beforeEach(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, "wait");
  queues = openQueues(redis, key);
});
afterEach(async () => {
  for (const worker of running) await worker.close(0);
  running = [];
  refused = [];
  await closeQueues(queues);
  redis.disconnect();
  await server.stop();
});

const config: WorkerConfig = resolveConfig({ WORKER_TAKEOVER_SECONDS: "5" }, "read").worker;
const work = (handler: Handler["run"], failed?: Handler["failed"]) => {
  const worker = startWorker(
    redis,
    "dump",
    config,
    silentLogger(),
    failed ? { run: handler, failed } : { run: handler },
    { key, onRefused: (job) => void refused.push(job) },
  );
  running.push(worker);
  return worker;
};
const request = (idempotencyKey?: string, database = "shop", actor = "token:default") =>
  requestBackup(queues, redis, { database, actor, idempotencyKey });

describe("redis", () => {
  test.each(["allkeys-lru", "volatile-ttl"])("with maxmemory-policy %s is refused", async (policy) => {
    await using careless = await startRedis({ args: ["--maxmemory-policy", policy] });
    const connection = connectRedis(careless.url, "fail-fast");
    const unsafe = { code: "QUEUE_UNSAFE", permanent: true, message: expect.stringContaining(policy) };
    await expect(checkRedis(connection, careless.url)).rejects.toMatchObject(unsafe);
    connection.disconnect();
    await checkRedis(redis, server.url);
  });

  test("9.C21 of the compose file lets in who has its password, who can do all that is needed, and change nothing of it", async () => {
    await using dir = await makeTempDir("tv-acl");
    execFileSync(process.execPath, [path.resolve("scripts/redis-secret.mjs"), dir.path]);
    const password = readFileSync(path.join(dir.path, "password"), "utf8").trim();
    const acl = readFileSync(path.join(dir.path, "users.acl"), "utf8");
    expect(acl).not.toContain(password);
    execFileSync(process.execPath, [path.resolve("scripts/redis-secret.mjs"), dir.path]);
    expect(readFileSync(path.join(dir.path, "users.acl"), "utf8")).toBe(acl);
    await using guarded = await startRedis({ args: ["--aclfile", path.join(dir.path, "users.acl")] });
    const stranger = connectRedis(guarded.url, "fail-fast");
    await expect(stranger.ping()).rejects.toThrow(/NOAUTH/);
    const url = guarded.url.replace("//", `//:${password}@`);
    const connection = connectRedis(url, "wait");
    await checkRedis(connection, url);
    const drift = redisDrift(connection);
    await until(async () => drift() !== null);
    await expect(connection.config("SET", "dir", "/tmp")).rejects.toThrow(/NOPERM/);
    const theirs = openQueues(connection, key);
    const worker = startWorker(connection, "dump", config, silentLogger(), { run: async () => ({}) }, { key });
    await requestBackup(theirs, connection, { database: "shop", actor: "token:default" });
    await until(async () => (await theirs.dump.getCompletedCount()) === 1);
    expect((await queueStates(theirs, new Date())).find(({ queue }) => queue === "dump")).toMatchObject({ workers: 1 });
    await worker.close(0);
    await closeQueues(theirs);
    for (const each of [stranger, connection]) each.disconnect();
  });

  test("that is too old is refused, with its version", async () => {
    const old = { info: async () => "redis_version:4.0.9\r\nmaxmemory_policy:noeviction\r\n" };
    const tooOld = { code: "QUEUE_UNSAFE", permanent: true, message: expect.stringContaining("4.0.9") };
    await expect(checkRedis(old as Pick<Redis, "info">, server.url)).rejects.toMatchObject(tooOld);
  });

  test("that is not there is named by its address, without its password", async () => {
    const connection = connectRedis("redis://:hunter2@127.0.0.1:1", "fail-fast");
    const error: unknown = await checkRedis(connection, "redis://:hunter2@127.0.0.1:1").catch(
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({ code: "QUEUE_UNREACHABLE", message: expect.stringContaining("127.0.0.1:1") });
    expect(String(error)).not.toContain("hunter2");
    connection.disconnect();
  });
});

describe("producer", () => {
  test("each request is a run; the same idempotency key is the same run, also at once and after a restart of Redis' clients", async () => {
    expect((await request(undefined, "a")).runId).not.toBe((await request(undefined, "b")).runId);
    const answers = await Promise.all(Array.from({ length: 5 }, () => request("one")));
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(await queues.dump.getWaitingCount()).toBe(3);
  });

  test("9.C24 requests for a database that waits join the one that waits, however many come at once", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => request(undefined, "shop", `user:${i}`)));
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(answers.filter(({ created, joined }) => created && !joined)).toHaveLength(1);
    expect(answers.filter(({ created, joined }) => !created && joined)).toHaveLength(199);
    expect(await queues.dump.getWaitingCount()).toBe(1);
    // One that has begun may have missed what was written since: who asks now gets another one.
    const first = Promise.withResolvers<void>();
    let begun = 0;
    work(async (_data, _context, handle) => {
      await handle.begun();
      if (++begun === 1) await first.promise;
      return {};
    });
    await until(async () => begun === 1);
    const later = [await request(), await request()];
    expect(later.map(({ joined }) => joined)).toEqual([false, true]);
    first.resolve();
    await until(async () => (await queues.dump.getCompletedCount()) === 2);
    expect(await request()).toMatchObject({ created: true, joined: false });
  });

  test("9.C24 one caller may have so much waiting, all together a little more", async () => {
    const fill = (count: number, actor: string) =>
      queues.dump.addBulk(
        Array.from({ length: count }, (_, i) => ({ name: "dump", data: { database: `${actor}-${i}`, actor } })),
      );
    await fill(249, "user:a");
    expect(await request(undefined, "last", "user:a")).toMatchObject({ created: true });
    const tooMany = { code: "TOO_MANY_REQUESTS", message: expect.stringMatching(/250 backups .* of user:a wait/) };
    await expect(request(undefined, "more", "user:a")).rejects.toMatchObject(tooMany);
    expect(await request(undefined, "last", "user:a")).toMatchObject({ joined: true });
    expect(await request(undefined, "other", "user:b")).toMatchObject({ created: true });
    await fill(249, "user:c");
    await expect(request(undefined, "another", "user:d")).rejects.toMatchObject({ code: "TOO_MANY_REQUESTS" });
    expect(await queues.dump.getWaitingCount()).toBe(500);
  });

  test("9.C24 restores are few at a time, the same one is one, and no two go into one database", async () => {
    const common = { database: "shop", backupId: "20261123t020000z-7f3k9xq2", from: "any", noOwner: false } as const;
    const restore = (target: string, actor: string, more: Partial<RestoreJob> = {}) => {
      const job = { ...common, to: "source-server", globals: false, jobs: 1, target, actor, ...more } as const;
      return startRestore(queues, redis, job, newBackupId());
    };
    const all = await Promise.allSettled(Array.from({ length: 15 }, (_, i) => restore(`crm${i}`, "user:a")));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect(all.at(-1)).toMatchObject({ status: "rejected", reason: { code: "TOO_MANY_REQUESTS" } });
    const { jobId } = await restore("copy", "user:b");
    expect(await restore("copy", "user:c")).toEqual({ jobId, joined: true });
    const rival = restore("copy", "user:c", { backupId: "20261123t030000z-7f3k9xq2" });
    await expect(rival).rejects.toMatchObject({ code: "EXISTS", message: expect.stringContaining(jobId) });
    expect(await restore("copy", "user:c", { to: "restore-server" })).toMatchObject({ joined: false });
    expect(await queues.restore.getWaitingCount()).toBe(7);
  });

  test("a stage is started once while it waits or runs, and anew once it has ended", async () => {
    const job = { database: "shop", backupId: "20261123t020000z-7f3k9xq2" };
    for (let i = 0; i < 3; i++) await startEncrypt(queues, job);
    expect(await queues.encrypt.getWaitingCount()).toBe(1);
    let calls = 0;
    const run = async () => ({ call: ++calls });
    running.push(startWorker(redis, "encrypt", config, silentLogger(), { run }, { key }));
    await until(async () => (await queues.encrypt.getCompletedCount()) === 1);
    await startEncrypt(queues, job);
    await until(async () => (await queues.encrypt.getJob(job.backupId))?.returnvalue?.call === 2);
    expect(await queues.encrypt.getCompletedCount()).toBe(1);
  });

  test("a worker that is ready is counted among the queue's workers", async () => {
    const worker = startWorker(redis, "dump", config, silentLogger(), { run: async () => ({}) }, { key });
    running.push(worker);
    await worker.ready();
    expect(await queues.dump.getWorkersCount()).toBe(1);
  });

  test("a worker logs an outage of Redis once, in one line, and goes on after it", async () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    running.push(
      startWorker(redis, "dump", config, createLogger("info", "test", stream), { run: async () => ({}) }, { key }),
    );
    await until(async () => (await queues.dump.getWorkersCount()) === 1);
    const { port } = server;
    let tries = 0;
    redis.on("reconnecting", () => void tries++); // the worker's connections try at the same times
    await server.stop();
    await until(() => tries >= 3);
    server = await startRedis({ port });
    await request();
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: 40,
      queue: "dump",
      msg: expect.stringContaining("cannot be reached"),
    });
    expect(lines[0]).not.toContain("stack");
  });

  test("goes on once Redis is there, though it was not when all began", async () => {
    const late = connectRedis(`redis://127.0.0.1:${server.port}`, "fail-fast");
    await server.stop();
    const theirs = openQueues(late, key);
    const ask = () => requestBackup(theirs, late, { database: "shop", actor: "token:default" });
    await expect(ask()).rejects.toMatchObject({ code: "QUEUE_UNREACHABLE" });
    server = await startRedis({ port: server.port });
    await until(async () => (await late.ping().catch(() => null)) === "PONG");
    await ask();
    expect(await theirs.dump.count()).toBe(1);
    await closeQueues(theirs);
    late.disconnect();
  });

  test("says within seconds that Redis is away, instead of waiting for it", async () => {
    const impatient = connectRedis(server.url, "fail-fast");
    const theirs = openQueues(impatient, key);
    await impatient.ping();
    await server.stop();
    const begun = performance.now();
    await expect(requestBackup(theirs, impatient, { database: "shop", actor: "token:default" })).rejects.toMatchObject({
      code: "QUEUE_UNREACHABLE",
    });
    expect(performance.now() - begun).toBeLessThan(8000);
    impatient.disconnect();
  });
});

describe("worker", () => {
  test("takes a dead worker's job up as soon as its lock is over", async () => {
    await request();
    const dead = new Worker("dump", null, {
      connection: redis,
      prefix: KEY_PREFIX,
      autorun: false,
      lockDuration: 5000,
    });
    const job = await dead.getNextJob("dead");
    const { promise: taken, resolve } = Promise.withResolvers<number>();
    work(async () => {
      resolve(performance.now());
      return {};
    });
    await sleep(1000);
    await job?.extendLock("dead", 5000); // its last sign of life
    const silentSince = performance.now();
    await dead.close(true);
    // By looks as far apart as a lock is long it would take nine seconds.
    const seconds = ((await taken) - silentSince) / 1000;
    expect(seconds).toBeGreaterThan(4.5);
    expect(seconds).toBeLessThan(8);
  });

  test("keeps result, progress and a readable log with the job", async () => {
    work(async (_data, context) => {
      context.note("half of it");
      context.progress({ bytes: 1, segments: 0 });
      context.progress({ bytes: 2, segments: 1 });
      return { done: true };
    });
    const { runId } = await request();
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    const job = await queues.dump.getJob(runId);
    expect(job).toMatchObject({ progress: { bytes: 2, segments: 1 }, returnvalue: { done: true } });
    expect((await queues.dump.getJobLogs(runId)).logs).toEqual([expect.stringMatching(/^\d{4}-.*Z half of it$/)]);
  });

  test("a permanent failure is not tried again, is described in the operator's words, and is tidied up after", async () => {
    let calls = 0;
    const tidied: unknown[] = [];
    work(
      async () => {
        calls++;
        throw new TrivaultError("DATABASE_REFUSED", "The password is wrong; set another one.", { permanent: true });
      },
      async (data) => void tidied.push(data),
    );
    const { runId } = await request();
    await until(async () => (await queues.dump.getFailedCount()) === 1);
    await until(async () => tidied.length === 1);
    expect(calls).toBe(1);
    const status = await runStatus(queues, resolveConfig({}, "read"), runId);
    expect(status?.stages[0]).toMatchObject({ state: "failed", problem: "The password is wrong; set another one." });
  });

  test("a passing failure is tried again later", async () => {
    let calls = 0;
    work(async () => {
      if (++calls === 1) throw new TrivaultError("STORE_UNREACHABLE", "not now");
      return {};
    });
    const { runId } = await request();
    await until(async () => (await queues.dump.getDelayedCount()) === 1);
    const status = await runStatus(queues, resolveConfig({}, "read"), runId);
    expect(status?.stages[0]).toMatchObject({ state: "retrying", attempts: 1 });
    await (await queues.dump.getJob(runId))?.promote();
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    expect(calls).toBe(2);
  });

  test("on shutdown, a job that cannot finish in time goes back to the queue and costs no attempt", async () => {
    const begun = Promise.withResolvers<void>();
    const worker = work(async (_data, { signal }) => {
      begun.resolve();
      await sleep(60_000, undefined, { signal });
      return {};
    });
    const { runId } = await request();
    await begun.promise;
    const asked = performance.now();
    await worker.close(200);
    expect(performance.now() - asked).toBeLessThan(5000);
    const job = await queues.dump.getJob(runId);
    expect(job?.attemptsMade).toBe(0);
    expect(["delayed", "waiting"]).toContain(await job?.getState());
    running = [];
    work(async () => ({}));
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
  });

  test("what is not a job of ours is refused by name, without being run", async () => {
    const { parseJob, copyJobSchema } = await import("./jobs.ts");
    expect(() =>
      parseJob(copyJobSchema, "remote-sync", { database: "shop", backupId: "../../etc", from: "a", to: "b" }),
    ).toThrow(/remote-sync.*backupId/);
    await startCopy(queues, "remote-sync", {
      database: "shop",
      backupId: "20261123t020000z-7f3k9xq2",
      from: "local",
      to: "remote",
    });
    const [job] = await queues["remote-sync"].getWaiting();
    expect(job?.id).toBe("20261123t020000z-7f3k9xq2.remote");
  });
});

describe("9.C21 a job that somebody wrote into Redis by hand", () => {
  const forged = { database: "shop", actor: "user:ceo" };
  /** As whoever can reach Redis: BullMQ without our key. */
  const theirs = () => new Queue("dump", { connection: redis, prefix: KEY_PREFIX });

  test("is not carried out, not tidied up after, not tried again, and logged", async () => {
    const seen: unknown[] = [];
    work(
      async (data) => {
        seen.push(data);
        return {};
      },
      async (data) => void seen.push(data),
    );
    const queue = theirs();
    await queue.add("dump", forged, { jobId: "forged", attempts: 5 });
    await queue.add("dump", { ...forged, proof: Buffer.alloc(32).toString("base64url") }, { jobId: "guessed" });
    await queue.upsertJobScheduler("often", { every: 3_600_000 }, { name: "dump", data: forged });
    await until(async () => (await queues.dump.getFailedCount()) === 3);
    expect(seen).toEqual([]);
    expect(refused.map(({ id }) => id.replace(/^repeat:.*/, "scheduled")).toSorted()).toEqual([
      "forged",
      "guessed",
      "scheduled",
    ]);
    const job = await jobDetails(queues, "dump", "forged");
    expect(job).toMatchObject({
      state: "failed",
      attempts: 1,
      problem: expect.stringContaining("not made by this site"),
    });
    expect(JSON.stringify(job?.about)).not.toContain("ceo");
    await queue.close();
  });

  test("is none of ours where it is a copy, under another id or in another queue, or was changed", async () => {
    const { runId } = await request();
    const good = await queues.dump.getJob(runId);
    const encrypt = new Queue("encrypt", { connection: redis, prefix: KEY_PREFIX });
    const queue = theirs();
    await queue.add("dump", good?.data, { jobId: "copied" });
    await queue.add("other", good?.data, { jobId: `${runId}x` });
    await encrypt.add("dump", good?.data, { jobId: runId });
    // Under its own id, in its own queue: only what it says is another's.
    const changed = await queues.dump.getJob((await request(undefined, "crm")).runId);
    await changed?.updateData({ ...changed.data, actor: "user:ceo" });
    const done: string[] = [];
    const run: Handler["run"] = async (_data, _context, { id }) => {
      done.push(id);
      return {};
    };
    running.push(startWorker(redis, "encrypt", config, silentLogger(), { run }, { key }));
    work(run);
    await until(async () => (await queues.dump.getFailedCount()) + (await queues.encrypt.getFailedCount()) === 4);
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    expect(done).toEqual([runId]);
    await Promise.all([queue.close(), encrypt.close()]);
  });

  test("while ours may be changed by their worker and tried again, and belong to one site only", async () => {
    let calls = 0;
    work(async (data, _context, job) => {
      if (++calls === 2) return data as object;
      await job.update({ ...(data as object), current: "20261123t020000z-7f3k9xq2" });
      throw new TrivaultError("STORE_UNREACHABLE", "not now");
    });
    const { runId } = await request();
    await until(async () => (await queues.dump.getDelayedCount()) === 1);
    await (await queues.dump.getJob(runId))?.promote();
    await until(async () => (await queues.dump.getCompletedCount()) === 1);
    expect((await queues.dump.getJob(runId))?.returnvalue).toMatchObject({ current: "20261123t020000z-7f3k9xq2" });
    const elsewhere = openQueues(redis, async () => Buffer.alloc(32, "another site"));
    await requestBackup(elsewhere, redis, { database: "shop", actor: "token:default" });
    await until(async () => (await queues.dump.getFailedCount()) === 1);
    expect([calls, refused.length]).toEqual([2, 1]);
    await closeQueues(elsewhere);
  });
});

test("copies wait in the queue of whichever end is a bucket", () => {
  expect(copyQueueOf("local", "sftp")).toBe("remote-sync");
  expect(copyQueueOf("sftp", "local")).toBe("remote-sync");
  expect(copyQueueOf("local", "s3")).toBe("cloud-upload");
  expect(copyQueueOf("s3", "local")).toBe("cloud-upload");
});
