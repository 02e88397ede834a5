import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { newBackupId } from "@trivault/core";
import { expectNoLeaks, makeTempDir, until } from "@trivault/testkit";
import { startMailServer } from "@trivault/testkit/mail-server";
import { reportSchema } from "./report.ts";

const PROGRAM = path.resolve(import.meta.dirname, "../test/reporting-process.ts");
const NOW = "2026-11-24T08:00:00.000Z";
const HOUR = 3_600_000;

afterAll(expectNoLeaks());

/** A day of hourly backups, the last of which failed. */
async function recordOfADay(backupDir: string): Promise<void> {
  let now = new Date();
  const log = openAuditLog(auditFolder(backupDir), { now: () => now });
  for (let hour = 30; hour > 1; hour--) {
    now = new Date(Date.parse(NOW) - hour * HOUR);
    const event = {
      actor: "schedule",
      database: "shop",
      backupId: newBackupId(now),
      bytes: 1_000_000,
      seconds: 40,
    } as const;
    now = new Date(now.getTime() + 40_000);
    if (hour === 2) {
      const error = { code: "DATABASE_UNREACHABLE", message: "The server does not answer." };
      await log.record({ ...event, action: "backup.dump", outcome: "failed", error });
    } else {
      await log.record({ ...event, action: "backup.dump", outcome: "ok" });
      await log.record({ ...event, action: "backup.encrypt", outcome: "ok", tier: "local" });
    }
  }
  await log.close();
}

test("of three processes that start at once, on a real record, one mails one report", async () => {
  await using dir = await makeTempDir("tv-daily");
  await using server = await startMailServer();
  server.refusals.push(451);
  const backupDir = path.join(dir.path, "backups");
  await recordOfADay(backupDir);
  const configFile = path.join(dir.path, "trivault.config.yaml");
  await writeFile(
    configFile,
    `mail: { host: 127.0.0.1, port: ${server.port}, security: none, from: "Trivault <backup@example.org>" }
reports: { schedule: "0 7 * * *", to: [ops@example.org, boss@example.org], language: fr }
`,
    { mode: 0o600 },
  );
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    BACKUP_DIR: backupDir,
    BACKUP_CONFIG: configFile,
    BACKUP_ENCRYPTION: "none",
    DATABASE_URL: "postgresql://nobody:hunter2@127.0.0.1:1/shop",
  };
  const run = async (now: string, count: number) => {
    const processes = Array.from({ length: count }, () => start({ ...env, NOW: now }));
    return Promise.all(processes.map((child) => ended(child)));
  };
  // The first attempt is refused; a minute later (by their clocks) it is tried again.
  const first = start({ ...env, NOW });
  const firstEnded = ended(first);
  const state = path.join(backupDir, ".trivault/reports/2026-11-24.state.json");
  await until(async () => (await readFile(state, "utf8").catch(() => "")).includes('"attempts":1'));
  first.kill();
  await firstEnded;
  expect(server.received).toHaveLength(0);
  expect(await run("2026-11-24T08:02:00.000Z", 3)).toEqual([0, 0, 0].map((code) => ({ code, stderr: "" })));

  expect(server.received).toHaveLength(1);
  const { to, raw } = server.received[0] ?? { to: [], raw: "" };
  expect(to).toEqual(["ops@example.org", "boss@example.org"]);
  expect(raw).toMatch(/^Content-Type: multipart\/alternative/m);
  expect(raw).toMatch(/^Content-Type: text\/plain/m);
  expect(raw).toMatch(/^Content-Type: text\/html/m);
  expect(raw).not.toContain("hunter2");

  const kept = path.join(backupDir, ".trivault/reports/2026-11-24.json");
  const report = reportSchema.parse(JSON.parse(await readFile(kept, "utf8")));
  expect(report).toMatchObject({
    period: { from: "2026-11-23T07:00:00.000Z", to: "2026-11-24T07:00:00.000Z" },
    runs: { ok: 23, failed: 1 },
    failures: [{ code: "DATABASE_UNREACHABLE", runs: 1 }],
  });
  const log = openAuditLog(auditFolder(backupDir));
  const mailed = await Array.fromAsync(log.query({ action: ["report.sent", "report.failed"] }));
  expect(mailed.map(({ action, details }) => [action, details?.["attempts"] ?? null])).toEqual([
    ["report.failed", null],
    ["report.sent", 2],
  ]);
}, 180_000);

function start(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [PROGRAM], { env, stdio: ["ignore", "ignore", "pipe"] });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  const [[code], stderr] = await Promise.all([once(child, "exit"), child.stderr ? text(child.stderr) : ""]);
  return { code, stderr };
}
