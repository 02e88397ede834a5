import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type AuditLog, openAuditLog } from "@trivault/audit";
import { silentLogger } from "@trivault/core";
import { ago, eventsOf, NOW } from "../test/example.ts";
import { createTally, type Tally } from "./tally.ts";

let backupDir: string;
let audit: AuditLog;
let time = NOW;
beforeEach(async () => {
  backupDir = await mkdtemp(path.join(tmpdir(), "tv-tally-"));
  time = ago(3600);
  audit = openAuditLog(path.join(backupDir, "audit"), { now: () => time });
});
afterEach(async () => {
  await audit.close();
  await rm(backupDir, { recursive: true });
});

const open = () => createTally({ config: { backupDir }, audit, now: () => NOW, log: silentLogger() });
const rowOf = ({ rows }: Tally, stage: string, tier = "") =>
  rows.find((row) => row.stage === stage && row.tier === tier);
const failed = (code: string) => ({
  action: "backup.copy" as const,
  outcome: "failed" as const,
  actor: "schedule",
  database: "shop",
  tier: "cloud",
  seconds: 3,
  error: { code, message: "it failed" },
});

test("counts what the audit log holds, and only once, over restarts too", async () => {
  for (const event of eventsOf("shop", "1")) await audit.record(event);
  await audit.record(failed("STORE_UNREACHABLE"));
  await audit.record({
    action: "schedule.missed",
    outcome: "failed",
    actor: "schedule",
    database: "shop",
    details: { missed: 3 },
  });
  await audit.record({
    action: "backup.deleted",
    outcome: "ok",
    actor: "maintenance",
    database: "shop",
    tier: "cloud",
  });
  await audit.record({
    action: "backup.deleted",
    outcome: "failed",
    actor: "maintenance",
    database: "shop",
    tier: "cloud",
  });
  const tally = open();
  const first = await tally();
  expect(rowOf(first, "copy", "cloud")).toEqual({
    database: "shop",
    stage: "copy",
    tier: "cloud",
    outcomes: { ok: 1, failed: 1, refused: 0 },
    codes: { STORE_UNREACHABLE: 1 },
    bytes: 1000,
    seconds: 13,
    lastOk: false,
    lastAt: time.getTime(),
    success: { at: time.getTime(), seconds: 10 },
  });
  expect(rowOf(first, "dump")?.outcomes.ok).toBe(1);
  expect(first).toMatchObject({ missed: { shop: 3 }, deleted: { cloud: 1 } });

  // More in the same millisecond, and both the running and a restarted process see each event once.
  await audit.record(failed("STORE_FULL"));
  for (const counting of [tally, open(), open()]) {
    const [one, two] = await Promise.all([counting(), counting()]);
    expect(rowOf(one, "copy", "cloud")?.codes).toEqual({ STORE_UNREACHABLE: 1, STORE_FULL: 1 });
    expect(two).toBe(one);
  }
});

test("a first start looks back 35 days", async () => {
  time = ago(36 * 86_400);
  for (const event of eventsOf("shop", "1")) await audit.record(event);
  time = ago(34 * 86_400);
  for (const event of eventsOf("shop", "2")) await audit.record(event);
  expect(rowOf(await open()(), "dump")?.outcomes.ok).toBe(1);
});

test("labels stay few and plain, whatever the audit log says", async () => {
  for (let index = 0; index < 30; index++) await audit.record(failed(`CODE_${index}`));
  await audit.record(failed('"} 1\nevil'));
  const codes = rowOf(await open()(), "copy", "cloud")?.codes ?? {};
  expect(Object.keys(codes)).toHaveLength(21);
  expect(codes["OTHER"]).toBe(11);
});

test("a file that cannot be read is made anew from the audit log", async () => {
  for (const event of eventsOf("shop", "1")) await audit.record(event);
  await open()();
  const file = path.join(backupDir, ".trivault/metrics.json");
  expect(JSON.parse(await readFile(file, "utf8")).version).toBe(1);
  await writeFile(file, "{}");
  expect(rowOf(await open()(), "dump")?.outcomes.ok).toBe(1);
});
