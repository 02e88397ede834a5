import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { connect, parseDatabaseUrl } from "@trivault/postgres";
import { type RedisServer, startRedis, until } from "@trivault/testkit";
import { expectRefusal, type Fixture, makeFixture } from "./testing/fixture.ts";
import { printed } from "./testing/spawn-cli.ts";

const WORKER = path.resolve(import.meta.dirname, "../../worker/src/main.js");

let site: Fixture;
let redis: RedisServer;
beforeAll(async () => {
  [site, redis] = await Promise.all([makeFixture(9), startRedis()]);
}, 120_000);
afterAll(async () => {
  await Promise.all([site[Symbol.asyncDispose](), redis.stop()]);
});

const queue = (line: string) => site.cli(line, { env: { REDIS_URL: redis.url } });

/** A real worker, until `use` has ended. */
async function withWorker(queues: string, use: () => Promise<void>): Promise<void> {
  const { PATH = "", HOME = "" } = process.env;
  const env = { PATH, HOME, ...site.env, REDIS_URL: redis.url, WORKER_QUEUES: queues, WORKER_GRACE_SECONDS: "0" };
  const worker = spawn(process.execPath, [WORKER], { cwd: site.folder, env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(worker, "exit");
  try {
    const ready = Promise.withResolvers<void>();
    let log = "";
    worker.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("worker ready")) ready.resolve();
    });
    void exited.then(() => ready.reject(new Error(`the worker ended:\n${log}`)));
    await ready.promise;
    await use();
  } finally {
    worker.kill("SIGTERM");
    await exited;
  }
}

/** Without what the tests before left in the queue: a worker that ends in mid-dump leaves it to the next one. */
async function emptyQueues(): Promise<void> {
  await redis.stop();
  redis = await startRedis();
  await until(async () => {
    const sessions = "SELECT FROM pg_stat_activity WHERE datname = 'shop' AND backend_type = 'client backend'";
    return (await site.postgres.query(sessions)).length === 0;
  });
}

test("while no worker listens, run says so with exit code 3, and --wait enqueues nothing", async () => {
  const waited = await queue("run --wait --json");
  expect({ code: waited.code, ...JSON.parse(waited.stdout) }).toMatchObject({
    code: 3,
    error: { code: "NO_WORKER" },
    queuesWithoutWorker: ["dump", "encrypt", "remote-sync"],
  });
  const left = await queue("run --idempotency-key once");
  expect(left).toMatchObject({ code: 3, stdout: expect.stringContaining("is in the queue: run 20") });
  expect(left.stderr).toMatch(/^No worker listens to dump, encrypt, remote-sync now\. The backup stays in the queue/);
});

test("with workers the run that was left in the queue becomes complete, asked for by the same key", async () => {
  await withWorker("dump,encrypt,remote-sync,cloud-upload,maintenance", async () => {
    const { code, stdout, stderr } = await queue("run --idempotency-key once --wait --json");
    const run = JSON.parse(stdout);
    expect({ code, run, stderr }).toMatchObject({
      code: 0,
      run: {
        mode: "queue",
        created: false,
        ok: true,
        queuesWithoutWorker: [],
        stages: [
          { stage: "dump", state: "completed" },
          { stage: "encrypt", state: "completed" },
          { stage: "copy", tier: "remote", state: "completed" },
        ],
      },
      stderr: expect.stringContaining("copy to remote: done"),
    });
    expect((await queue("list")).stdout).toMatch(new RegExp(`^${run.backupId} .* yes +yes$`, "m"));

    const plain = await queue("run");
    expect(plain).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^A backup of shop is in the queue: run /),
    });
  });
}, 120_000);

test("a stage that nobody listens to is named", async () => {
  await withWorker("dump,encrypt", async () => {
    expect((await queue("run --wait")).stderr).toMatch(
      /^No worker listens to remote-sync, so there is nobody to wait for/,
    );
  });
}, 60_000);

test("a failure for good ends the waiting with 1 and the reason", async () => {
  await emptyQueues();
  await withWorker("dump,encrypt,remote-sync", async () => {
    await site.postgres.query("ALTER DATABASE shop RENAME TO elsewhere");
    try {
      const ended = await queue("run --wait");
      expectRefusal(ended, /^dump failed: .*shop/);
      expect(ended.stdout).toBe("The backup of shop failed; nothing of it is left.\n");
    } finally {
      await site.postgres.query("ALTER DATABASE elsewhere RENAME TO shop");
    }
  });
}, 120_000);

test("Ctrl-C ends the waiting, not the backup", async () => {
  await emptyQueues();
  await withWorker("dump,encrypt,remote-sync", async () => {
    const lock = await connect(parseDatabaseUrl(site.sourceUrl));
    await lock.query("BEGIN; LOCK TABLE public.products IN ACCESS EXCLUSIVE MODE");
    const waiting = site.start("run --wait --idempotency-key interrupted", { env: { REDIS_URL: redis.url } });
    await waiting.says("backup 20"); // it waits, and shows which backup the run has become
    waiting.kill("SIGINT");
    const ended = await waiting.ended;
    expect(ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/Waiting was stopped\. The backup goes on/),
    });
    await lock.end();
    expect((await queue("run --wait --idempotency-key interrupted")).code).toBe(0);
  });
}, 120_000);

test("a Redis that is not there is an error at once", async () => {
  const ended = await site.cli("run --wait", { env: { REDIS_URL: "redis://:Geheim3@127.0.0.1:1" } });
  expectRefusal(ended, /^Redis at redis:\/\/:\*\*\*@127\.0\.0\.1:1.* does not answer/);
});

test("no password was printed", () => {
  expect(printed.join("\n").includes(site.postgres.password)).toBe(false);
  expect(printed.join("\n")).not.toContain("Geheim3");
});
