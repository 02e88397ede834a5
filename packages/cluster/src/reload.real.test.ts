import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { closeQueues, connectRedis, openQueues, requestBackup } from "@trivault/queue";
import { makeTempDir, startRedis } from "@trivault/testkit";

const WORKER = path.resolve(import.meta.dirname, "../../../apps/worker/src/main.ts");
const DATABASE = (name: string) => `  ${name}: { url: "postgresql://u:hunter2@127.0.0.1:1/${name}", schedule: off }\n`;

test("a running worker takes a database up from the changed file, and refuses a wrong file whole", async () => {
  await using dir = await makeTempDir("tv-reload");
  await using server = await startRedis();
  const file = path.join(dir.path, "trivault.config.yaml");
  const backupDir = path.join(dir.path, "backups");
  await writeFile(file, `databases:\n${DATABASE("one")}`, { mode: 0o600 });
  const worker = spawn(process.execPath, [WORKER], {
    cwd: dir.path,
    env: {
      PATH: process.env["PATH"],
      REDIS_URL: server.url,
      BACKUP_DIR: backupDir,
      BACKUP_SPOOL_DIR: path.join(dir.path, "spool"),
      BACKUP_ENCRYPTION: "none",
      WORKER_GRACE_SECONDS: "1",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(worker, "exit");
  let log = "";
  worker.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const said = async (pattern: RegExp) => {
    for (let tries = 0; tries < 400 && !pattern.test(log); tries++) await sleep(50);
    expect(log).toMatch(pattern);
  };
  const redis = connectRedis(server.url, "fail-fast");
  const queues = openQueues(redis);
  /** Why a backup of it fails: no server listens on port 1. */
  const failureOf = async (database: string) => {
    const { runId } = await requestBackup(queues, redis, { database, actor: "user:test@here" });
    for (let tries = 0; tries < 200; tries++, await sleep(50)) {
      const reason =
        (await queues.dump.getJob(runId))?.failedReason ?? (await queues.dump.getJobLogs(runId)).logs.join();
      if (reason) return reason;
    }
    return "nothing happened";
  };
  try {
    await said(/worker ready/);
    expect(await failureOf("two")).toMatch(/No database named "two" is configured/);
    await writeFile(file, `databases:\n${DATABASE("one")}${DATABASE("two")}`);
    await said(/the changed configuration is in force/);
    expect(await failureOf("two")).toMatch(/No connection to database "two"/);

    await writeFile(file, `databases:\n${DATABASE("three")}wrong: 1\n`);
    await said(/is refused, the old one stays in force.*wrong/);
    expect(await failureOf("two")).toMatch(/No connection to database "two"/);
    expect(await failureOf("three")).toMatch(/No database named "three" is configured/);
  } finally {
    worker.kill("SIGTERM");
    await exited;
    await closeQueues(queues);
    redis.disconnect();
  }
  expect(worker.exitCode).toBe(0);
  expect(log).not.toContain("hunter2");
  const actions: string[] = [];
  for await (const { action, actor } of openAuditLog(auditFolder(backupDir)).query({})) {
    if (action.startsWith("config.")) actions.push(`${action} ${actor}`);
  }
  expect(actions).toEqual(["config.loaded maintenance", "config.refused maintenance"]);
});
