import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { newBackupId } from "@trivault/core";
import { reportSchema } from "@trivault/reports";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type MailServer, startMailServer } from "@trivault/testkit/mail-server";
import { runCli } from "./testing/spawn-cli.ts";

/** With no Redis, no API and no database: none of them is there. */

let dir: TempDir;
let server: MailServer;
beforeAll(async () => {
  dir = await makeTempDir("cli-reports");
  server = await startMailServer();
  let now = new Date(Date.now() - 5 * 3_600_000);
  const log = openAuditLog(auditFolder(dir.path), { now: () => now });
  const event = {
    actor: "schedule",
    database: "shop",
    backupId: newBackupId(now),
    bytes: 2_000_000,
    seconds: 30,
  } as const;
  now = new Date(now.getTime() + 30_000);
  await log.record({ ...event, action: "backup.dump", outcome: "ok" });
  await log.record({ ...event, action: "backup.encrypt", outcome: "ok", tier: "local" });
  await log.close();
  await writeFile(
    path.join(dir.path, "mail.yaml"),
    `mail: { host: 127.0.0.1, port: ${server.port}, security: none, from: backup@example.org }\nreports: { to: [ops@example.org] }\n`,
    { mode: 0o600 },
  );
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await dir.remove();
});

const cli = (line: string, more: Readonly<Record<string, string>> = {}) =>
  runCli(line.split(" "), {
    cwd: dir.path,
    env: {
      BACKUP_DIR: dir.path,
      BACKUP_ENCRYPTION: "none",
      DATABASE_URL: "postgresql://u:hunter2@127.0.0.1:1/shop",
      ...more,
    },
  });

test("generate prints text for people and JSON for programs", async () => {
  const text = await cli("reports generate");
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toMatch(/^Trivault – Daily report/);
  const json = await cli("reports generate --last 7d --json");
  const report = reportSchema.parse(JSON.parse(json.stdout));
  expect(report.runs).toMatchObject({ ok: 1, failed: 0 });
  expect(Date.parse(report.period.to) - Date.parse(report.period.from)).toBe(7 * 86_400_000);
  expect(text.stdout + json.stdout).not.toContain("hunter2");
}, 120_000);

test("generate writes a file for its owner alone, and mails", async () => {
  const { code, stdout } = await cli("reports generate --output r.html --mail --language fr --json", {
    BACKUP_CONFIG: "mail.yaml",
  });
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({
    code: 0,
    file: path.join(dir.path, "r.html"),
    mailedTo: ["ops@example.org"],
  });
  const file = path.join(dir.path, "r.html");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, "utf8")).toContain('<html lang="fr">');
  expect(server.received.map(({ to }) => to)).toEqual([["ops@example.org"]]);
  const log = openAuditLog(auditFolder(dir.path));
  expect(await Array.fromAsync(log.query({ action: "report.sent" }))).toMatchObject([
    { actor: expect.stringMatching(/^user:/) },
  ]);
}, 120_000);

test("what cannot be is refused before anything is done", async () => {
  const refused = [
    ["reports generate --last 7d --from 2d", 2, /say --last, or --from and --to/],
    ["reports generate --format pdf", 2, /text, html, json/],
    ["reports generate --mail-to nobody", 2, /mail addresses/],
    ["reports generate --from 1d --to 2d", 1, /ends before it begins/],
    ["reports generate --database nope", 1, /No database named "nope".*there is shop/],
    ["reports generate --mail", 1, /no mail server is configured/],
  ] as const;
  for (const [line, code, reason] of refused) {
    expect(await cli(line)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(reason) });
  }
}, 120_000);

test("list says that there is none yet", async () => {
  expect((await cli("reports list")).stdout).toMatch(/^No report is kept yet/);
  expect(JSON.parse((await cli("reports list --json")).stdout)).toEqual({ reports: [] });
}, 60_000);
