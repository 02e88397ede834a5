import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { csvLine } from "./actions/audit/logs.ts";
import { runCli, startCli } from "./testing/spawn-cli.ts";

let dir: TempDir;
const env = () => ({ BACKUP_DIR: dir.path });
const cli = (line: string) => runCli(line.split(" "), { cwd: dir.path, env: env() });

beforeAll(async () => {
  dir = await makeTempDir("cli-audit");
  let now = new Date(Date.now() - 3 * 3_600_000);
  const log = openAuditLog(auditFolder(dir.path), { now: () => now });
  const common = { actor: "schedule", database: "shop" } as const;
  await log.record({ ...common, action: "backup.dump", outcome: "ok", bytes: 2048, seconds: 3 });
  now = new Date();
  const error = { code: "STORE_FULL", message: "=cmd|' /C calc'!A0, \"quoted\"" };
  await log.record({ ...common, action: "backup.copy", outcome: "failed", tier: "cloud", error });
  for (let i = 0; i < 120; i += 1) await log.record({ ...common, action: "tier.swept", outcome: "ok", tier: "local" });
});
afterAll(() => dir.remove());

test("logs shows the newest hundred, oldest first, in a table", async () => {
  const { code, stdout, stderr } = await cli("audit logs");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(101);
  expect(lines[0]).toMatch(/^TIME +ACTION +OUTCOME +WHAT +WHO/);
});

test("logs filters, and prints JSON and CSV that no spreadsheet carries out", async () => {
  const events = JSON.parse((await cli("audit logs --from 1h --outcome failed --tier cloud --json")).stdout);
  expect(events).toMatchObject([{ seq: 2, action: "backup.copy", error: { code: "STORE_FULL" } }]);
  const { stdout } = await cli("audit logs --action backup.dump,backup.copy --format csv");
  const [headings, dump, copy, ...more] = stdout.trimEnd().split("\n");
  expect(more).toEqual([]);
  expect(headings).toMatch(/^seq,at,action,outcome,/);
  expect(dump).toMatch(/,backup\.dump,ok,schedule,shop,,,3,2048,,,,/);
  expect(copy).toContain(`STORE_FULL,"'=cmd|' /C calc'!A0, ""quoted"""`);
});

test("a formula is one with any sign before it", () => {
  const base = {
    seq: 1,
    at: new Date(0),
    action: "backup.dump",
    outcome: "ok",
    actor: "a",
    host: "h",
    pid: 1,
  } as const;
  for (const database of ["=1", "+1", "-1", "@x", "\t=1", " =1"])
    expect(csvLine({ ...base, database })).toContain(`'${database}`);
});

test("what is wrong with an option is reported", async () => {
  for (const [line, message] of [
    ["audit logs --from yesterday", /Expected a time such as/],
    ["audit logs --action backup.eaten", /There is no action "backup\.eaten"/],
    ["audit logs --outcome good", /Allowed choices are ok, failed, refused/],
    ["audit logs --limit 0", /whole number/],
  ] as const) {
    expect(await cli(line)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
  }
  expect(await cli("audit logs --from 1h --to 2h")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/later than --to/),
  });
});

test("--follow goes on with what comes, a line each, until it is interrupted", async () => {
  const following = startCli(["audit", "logs", "--follow", "--json", "--limit", "1"], { cwd: dir.path, env: env() });
  const log = openAuditLog(auditFolder(dir.path));
  const stop = setInterval(() => void log.record({ action: "keep.marked", outcome: "ok", actor: "user:x@y" }), 300);
  while (following.stdout().split("\n").length <= 3) await sleep(50);
  following.kill("SIGINT");
  const { code, stdout } = await following.ended;
  clearInterval(stop);
  expect(code).toBe(0);
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.length).toBeGreaterThan(2);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => events[0].seq + i));
});

test("9.A8 verify takes the audit log's end from the alerts' state and by the newest report, where all of the audit log is gone", async () => {
  await using other = await makeTempDir("cli-audit");
  const log = openAuditLog(path.join(other.path, "gone"));
  for (let i = 0; i < 3; i++) await log.record({ action: "tier.swept", outcome: "ok", actor: "schedule" });
  const head = log.head();
  await log.close();
  const verify = () => runCli(["audit", "verify"], { cwd: other.path, env: { BACKUP_DIR: other.path } });
  const write = async (folder: string, file: string, content: object) => {
    await mkdir(path.join(other.path, ".trivault", folder), { recursive: true });
    await writeFile(path.join(other.path, ".trivault", folder, file), JSON.stringify(content));
  };
  const lists = { signs: [], alerts: [], ended: [], outbox: [], toRecord: [] };
  await write("alerts", "state.json", { version: 1, seen: null, head, incidents: {}, ...lists });
  expect(await verify()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("alerts/state.json has seen event 3"),
  });
  await rm(path.join(other.path, ".trivault/alerts"), { recursive: true });
  const at = new Date();
  const mail = { attempts: 0, sentAt: null, problem: null, nextAt: null };
  const state = { madeAt: at, period: { from: at, to: at }, well: true, summary: "", mail };
  await write("reports", "2026-12-01.json", { recordHead: head });
  await write("reports", "2026-12-01.state.json", state);
  expect(await verify()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("reports/2026-12-01.json has seen event 3"),
  });
});

test("verify ends with 0 while the audit log is whole, and with 1 and the place once it is not", async () => {
  expect(await cli("audit verify")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The audit log is whole: /),
  });
  await rm(path.join(auditFolder(dir.path), "head.json"));
  const { code, stdout, stderr } = await cli("audit verify --json");
  expect({ code, verdict: JSON.parse(stdout) }).toMatchObject({
    code: 1,
    verdict: { ok: false, problems: [{ file: "head.json", what: "is missing" }] },
  });
  expect(stderr).toContain("head.json is missing");
});
