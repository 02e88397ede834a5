import { appendFileSync, copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type AuditLog, openAuditLog } from "./audit-log.ts";
import { createKnownHeads } from "./known-heads.ts";
import type { AuditReader, ReadMark } from "./reader.ts";

let dir: TempDir;
let folder: string;
let now: Date;
let log: AuditLog;
const SINCE = new Date("2026-11-01T00:00:00.000Z");

beforeEach(async () => {
  dir = await makeTempDir("audit-reader");
  folder = path.join(dir.path, "audit");
  now = new Date("2026-11-29T02:00:00.000Z");
  log = openAuditLog(folder, { now: () => now, known: createKnownHeads() });
});
afterEach(async () => {
  await log.close();
  await dir.remove();
});

/** One a day. */
async function record(...sizes: number[]): Promise<void> {
  for (const bytes of sizes) {
    await log.append({ action: "backup.copy", outcome: "ok", actor: "schedule", bytes });
    now = new Date(now.getTime() + 86_400_000);
  }
}
async function read(reader: AuditReader | null): Promise<(number | undefined)[]> {
  if (reader === null) throw new Error("there is no reader");
  return (await Array.fromAsync(reader.read())).flat().map(({ bytes }) => bytes);
}
const markOf = (reader: AuditReader, from = SINCE): ReadMark => {
  const mark = reader.mark(from);
  if (mark === null) throw new Error("there is no mark");
  return mark;
};
const november = () => path.join(folder, "2026-11.jsonl");
const december = () => path.join(folder, "2026-12.jsonl");

test("reads what there is, over months, and then what was added; a line that is not whole waits", async () => {
  const reader = log.reader(SINCE);
  expect(await read(reader)).toEqual([]);
  expect(reader.mark(SINCE)).toBeNull();
  await record(1, 2, 3);
  expect(await read(reader)).toEqual([1, 2, 3]);
  expect(await read(reader)).toEqual([]);
  await record(4);
  const whole = readFileSync(december());
  truncateSync(december(), whole.length - 10);
  expect(await read(reader)).toEqual([]);
  writeFileSync(december(), whole);
  expect(await read(reader)).toEqual([4]);
  expect(await read(log.reader(new Date("2026-11-30T00:00:00Z")))).toEqual([2, 3, 4]);
});

test("another goes on where one stood, as often as one likes", async () => {
  await record(1, 2, 3);
  const first = log.reader(SINCE);
  await read(first);
  await record(4);
  const second = await log.resume(markOf(first));
  expect(await read(second)).toEqual([4]);
  await record(5);
  expect(await read(second)).toEqual([5]);
  const third = await log.resume(JSON.parse(JSON.stringify(second?.mark(SINCE))) as ReadMark);
  expect(await read(third)).toEqual([]);
  await record(6);
  expect(await read(third)).toEqual([6]);
});

test("months that end before what is asked for are left out of the mark", async () => {
  await record(1, 2, 3);
  const reader = log.reader(SINCE);
  await read(reader);
  const mark = markOf(reader, new Date("2026-12-01T00:00:00Z"));
  expect(mark.parts.map(({ file }) => file)).toEqual(["2026-12.jsonl"]);
  rmSync(november());
  await record(4);
  expect(await read(await log.resume(mark))).toEqual([4]);
});

test("an audit log that does not hold the very bytes that were read is not gone on with", async () => {
  await record(1, 2, 3);
  const older = readFileSync(december());
  await record(4);
  const reader = log.reader(SINCE);
  await read(reader);
  const mark = markOf(reader);
  const [text, newest] = [readFileSync(november(), "utf8"), readFileSync(december())];
  for (const change of [
    () => writeFileSync(november(), text.replace(`"bytes":1`, `"bytes":7`)),
    () => writeFileSync(december(), older),
    () => rmSync(december()),
    () => copyFileSync(december(), path.join(folder, "2026-11.jsonl")),
    () => rmSync(folder, { recursive: true }),
  ]) {
    change();
    expect(await log.resume(mark)).toBeNull();
    if (change.toString().includes("recursive")) break;
    writeFileSync(november(), text);
    writeFileSync(december(), newest);
    expect(await log.resume(mark)).not.toBeNull();
  }
});

test("a month that comes up in between is not passed over", async () => {
  now = new Date("2026-10-30T00:00:00Z");
  await record(1);
  now = new Date("2026-12-01T00:00:00Z");
  await record(2);
  const reader = log.reader(new Date("2026-10-01T00:00:00Z"));
  await read(reader);
  const mark = markOf(reader, new Date("2026-10-01T00:00:00Z"));
  writeFileSync(november(), "");
  expect(await log.resume(mark)).toBeNull();
});

test("where the log is another than before, all that came later is read, and there is no mark any more", async () => {
  await record(1, 2, 3);
  const reader = log.reader(SINCE);
  expect(await read(reader)).toEqual([1, 2, 3]);
  await log.close();
  rmSync(folder, { recursive: true });
  log = openAuditLog(folder, { now: () => now, known: createKnownHeads() });
  await record(8);
  expect(await read(reader)).toEqual([8]);
  expect(reader.mark(SINCE)).toBeNull();
  await record(9);
  expect(await read(reader)).toEqual([9]);
  expect(reader.mark(SINCE)).toBeNull();
});

test("what is no event is passed over, and belongs to what was read", async () => {
  await record(1);
  appendFileSync(november(), "no event\n");
  const reader = log.reader(SINCE);
  expect(await read(reader)).toEqual([1]);
  const mark = markOf(reader);
  await record(2);
  expect(await read(await log.resume(mark))).toEqual([2]);
});
