import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { connect, parseDatabaseUrl } from "@trivault/postgres";
import { closeQueues, connectRedis, openQueues, type Queues, requestBackup, siteJobKey } from "@trivault/queue";
import { makeTempDir, type RedisServer, startPostgres, startRedis, type TempDir } from "@trivault/testkit";

const WORKER = path.resolve(import.meta.dirname, "../../../apps/worker/src/main.js");

let dir: TempDir;
let server: RedisServer;
let redis: ReturnType<typeof connectRedis>;
let queues: Queues;
let worker: ChildProcess;
let log: string;

beforeEach(async () => {
  [dir, server] = await Promise.all([makeTempDir("tv-reload"), startRedis()]);
  redis = connectRedis(server.url, "fail-fast");
  queues = openQueues(redis, siteJobKey(backupDir()));
  log = "";
});
afterEach(async () => {
  worker.kill("SIGKILL");
  await closeQueues(queues);
  redis.disconnect();
  await server.stop();
  await dir.remove();
});

const backupDir = () => path.join(dir.path, "backups");
const database = (name: string, url = `postgresql://u:hunter2@127.0.0.1:1/${name}`) =>
  `  ${name}: { url: "${url}", schedule: off }\n`;
const writeConfig = (text: string) =>
  writeFile(path.join(dir.path, "trivault.config.yaml"), `databases:\n${text}`, { mode: 0o600 });

function startWorker(): void {
  worker = spawn(process.execPath, [WORKER], {
    cwd: dir.path,
    env: {
      PATH: process.env["PATH"],
      REDIS_URL: server.url,
      BACKUP_DIR: backupDir(),
      BACKUP_SPOOL_DIR: path.join(dir.path, "spool"),
      BACKUP_ENCRYPTION: "none",
      WORKER_GRACE_SECONDS: "1",
      WORKER_TAKEOVER_SECONDS: "5",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  worker.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
}

async function until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++, await sleep(50)) if (await check()) return;
  throw new Error(`${what} did not happen:\n${log}`);
}

const said = (pattern: RegExp) => until(String(pattern), () => pattern.test(log));
const request = async (name: string) =>
  (await requestBackup(queues, redis, { database: name, actor: "user:a@b" })).runId;

/** The lock of the job is renewed once more: its time left grows. */
async function renewed(runId: string): Promise<void> {
  const left = () => redis.pttl(queues.dump.toKey(`${runId}:lock`));
  for (let before = await left(); ;) {
    expect(before).toBeGreaterThan(0);
    await sleep(50);
    const now = await left();
    if (now > before) return;
    before = now;
  }
}

/**
 * A backup of it fails for this reason (no server listens on port 1). Not always the first time: workers of the old
 * configuration that are just closing may take the job once more, and whoever comes next tries again.
 */
async function failsFor(name: string, reason: RegExp): Promise<void> {
  const runId = await request(name);
  await until(`${name} failing for ${reason}`, async () => {
    const { logs } = await queues.dump.getJobLogs(runId);
    return reason.test([(await queues.dump.getJob(runId))?.failedReason, ...logs].join("\n"));
  });
}

test("a running worker takes a database up from the changed file, and refuses a wrong file whole", async () => {
  await writeConfig(database("one"));
  startWorker();
  await said(/worker ready/);
  await failsFor("two", /No database named "two" is configured/);
  await writeConfig(database("one") + database("two"));
  await said(/the changed configuration is in force/);
  await failsFor("two", /No connection to database "two"/);

  await writeConfig(`${database("three")}wrong: 1\n`);
  await said(/is refused, the old one stays in force.*wrong/);
  await failsFor("two", /No connection to database "two"/);
  await failsFor("three", /No database named "three" is configured/);

  const exited = once(worker, "exit");
  worker.kill("SIGTERM");
  await exited;
  expect(worker.exitCode).toBe(0);
  expect(log).not.toContain("hunter2");
  const actions: string[] = [];
  for await (const { action, actor } of openAuditLog(auditFolder(backupDir())).query({})) {
    if (action.startsWith("config.")) actions.push(`${action} ${actor}`);
  }
  expect(actions).toEqual(["config.loaded maintenance", "config.refused maintenance"]);
});

test("a backup that runs is completed by those who began it, while the new ones serve others", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase("slow");
  await postgres.query("CREATE TABLE held AS SELECT 1 AS x", "slow");
  await writeConfig(database("slow", url));
  startWorker();
  await said(/worker ready/);
  const blocker = await connect(parseDatabaseUrl(url));
  try {
    await blocker.query("BEGIN; LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE");
    const runId = await request("slow");
    await said(/dumping slow/);
    await writeConfig(database("other"));
    await said(/the changed configuration is in force/);
    // Its lock is renewed after the others have taken over, and again after the grace of a shutdown.
    await failsFor("other", /No connection to database "other"/);
    await renewed(runId);
    await renewed(runId);
    expect(await queues.dump.getJobState(runId)).toBe("active");
    await blocker.query("COMMIT");
    await until("the end of the dump", async () => (await queues.dump.getJobState(runId)) === "completed");
    await until("the end of the encryption", async () => (await queues.encrypt.getJobState(runId)) === "completed");
    expect(log.match(/dumping slow/g)).toHaveLength(1);
  } finally {
    await blocker.end();
  }
});
