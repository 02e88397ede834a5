import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { guardFolder } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type AuditLog, openAuditLog } from "./audit-log.ts";
import type { AuditEvent, AuditFilter, RecordedEvent } from "./event.ts";
import { prepare } from "./line.ts";

let dir: TempDir;
let folder: string;
let now: Date;
let log: AuditLog;
beforeEach(async () => {
  dir = await makeTempDir("audit");
  folder = path.join(dir.path, "audit");
  now = new Date("2026-11-23T02:00:00.000Z");
  log = openAuditLog(folder, { now: () => now });
});
afterEach(() => dir.remove());

const EVENT: AuditEvent = { action: "backup.copy", outcome: "ok", actor: "schedule", database: "shop" };
const FILE = "2026-11.jsonl";
const read = (filter: AuditFilter = {}, order?: "newest-first") => Array.fromAsync(log.query(filter, order));
const bytesOf = (events: readonly RecordedEvent[]) => events.map(({ bytes }) => bytes);

describe("recording", () => {
  test("9.A8 where the disk of the site was unmounted, events wait in memory and nothing is made", async () => {
    const site = path.join(dir.path, "site");
    const sentinel = path.join(site, "site.json");
    mkdirSync(site);
    writeFileSync(sentinel, "");
    guardFolder(site, sentinel);
    const guarded = openAuditLog(path.join(site, "audit"), { now: () => now });
    expect(await guarded.append(EVENT)).toBe("chained");
    renameSync(site, `${site}.aside`);
    mkdirSync(site);
    expect(await guarded.append(EVENT)).toBe("pending");
    expect(readdirSync(site)).toEqual([]);
    rmSync(site, { recursive: true });
    renameSync(`${site}.aside`, site);
    await guarded.close();
    expect(await guarded.verify()).toMatchObject({ ok: true, events: 2 });
  });

  test("each of many in a row is on the chain when it comes back", async () => {
    for (let bytes = 1; bytes <= 50; bytes += 1) expect(await log.append({ ...EVENT, bytes })).toBe("chained");
    expect(bytesOf(await read())).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await log.verify()).toMatchObject({ ok: true, events: 50 });
  });

  test("keeps what it is given, hides passwords, bounds texts, and leaves out what is no number", async () => {
    const error = { code: "STORE_FULL", message: `postgresql://u:geheim@h/d ${"x".repeat(10_000)}` };
    await log.record({
      ...EVENT,
      outcome: "failed",
      tier: "cloud",
      backupId: "20261123t020000z-7f3k9xq2",
      seconds: 1.23456,
      bytes: Number.NaN,
      error,
      details: { url: "sftp://u:geheim@h", line: "a\nb", rate: Number.POSITIVE_INFINITY, on: true, none: null },
    });
    const [event] = await read();
    expect(event).toMatchObject({ ...EVENT, outcome: "failed", seconds: 1.235, seq: 1, at: now, pid: process.pid });
    expect(event?.details).toEqual({ url: "sftp://u:***@h", line: "a\nb", rate: null, on: true, none: null });
    expect(event?.bytes).toBeUndefined();
    const text = readFileSync(path.join(folder, FILE), "utf8");
    expect(text).not.toContain("geheim");
    expect(text.length).toBeLessThan(6000);
    expect(text.split("\n")).toHaveLength(2);
  });

  test("files are for this user alone", async () => {
    await log.record(EVENT);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) expect(statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
  });

  test("a clock that is put back makes no line older than the one before it; the time by the clock stays known", async () => {
    await log.record(EVENT);
    const back = new Date("2026-10-01T00:00:00.000Z");
    const before = now;
    now = back;
    await log.record(EVENT);
    expect(await read()).toMatchObject([{ at: before }, { at: before, time: back }]);
    expect(readdirSync(folder)).not.toContain("2026-10.jsonl");
  });
});

describe("after a crash", () => {
  beforeEach(async () => {
    for (let bytes = 1; bytes <= 3; bytes += 1) await log.record({ ...EVENT, bytes });
  });

  test("a torn line is taken away, and that is recorded", async () => {
    appendFileSync(path.join(folder, FILE), '{"seq":4,"at":"2026-');
    await log.record({ ...EVENT, bytes: 4 });
    expect(await log.verify()).toMatchObject({ ok: true, events: 5 });
    expect(await read({ action: "audit.healed" })).toMatchObject([{ details: { file: FILE, bytes: 20 } }]);
    expect(bytesOf(await read({ action: "backup.copy" }))).toEqual([1, 2, 3, 4]);
  });

  test("a line that lacks its line break alone is whole", async () => {
    truncateSync(path.join(folder, FILE), statSync(path.join(folder, FILE)).size - 1);
    await log.record({ ...EVENT, bytes: 4 });
    expect(await log.verify()).toMatchObject({ ok: true, events: 4 });
    expect(bytesOf(await read())).toEqual([1, 2, 3, 4]);
  });

  test("head.json may lag behind", async () => {
    const old = readFileSync(path.join(folder, "head.json"));
    await log.record({ ...EVENT, bytes: 4 });
    writeFileSync(path.join(folder, "head.json"), old);
    expect(await log.verify()).toMatchObject({ ok: true });
    await log.record({ ...EVENT, bytes: 5 });
    expect(await log.verify()).toMatchObject({ ok: true, events: 5 });
  });

  test("what was put aside is appended once, whether the crash came before it was, in its middle, or after", async () => {
    mkdirSync(path.join(folder, "spill"));
    const spilled = Array.from({ length: 3 }, (_, i) => prepare({ ...EVENT, bytes: 10 + i }, now));
    const text = spilled.map((event) => `${JSON.stringify(event)}\n`).join("");
    // As it lies while it is being appended from line 4 on; then the same again, with two of three events in the chain.
    writeFileSync(path.join(folder, "spill/h-1-a.4.merging"), text);
    await log.record({ ...EVENT, bytes: 4 });
    writeFileSync(path.join(folder, "spill/h-1-a.4.merging"), text);
    const other = prepare({ ...EVENT, bytes: 20 }, now);
    writeFileSync(path.join(folder, "spill/h-1-b.5.merging"), `${text}${JSON.stringify(other)}\n`);
    await log.record({ ...EVENT, bytes: 5 });
    expect(bytesOf(await read())).toEqual([1, 2, 3, 10, 11, 12, 4, 20, 5]);
    expect(readdirSync(path.join(folder, "spill"))).toEqual([]);
    expect(await log.verify()).toMatchObject({ ok: true, waiting: 0 });
  });

  test("what somebody wrote behind the end is not gone on from", async () => {
    appendFileSync(path.join(folder, FILE), "hello\n");
    await log.record({ ...EVENT, bytes: 4 });
    expect(await log.verify()).toMatchObject({ events: 4, problems: [{ file: FILE, line: 4 }] });
    expect(bytesOf(await read())).toEqual([1, 2, 3, 4]);
  });

  test("a spill file that is damaged is put aside and logged", async () => {
    mkdirSync(path.join(folder, "spill"));
    writeFileSync(path.join(folder, "spill/h-1-a.jsonl"), "{\n");
    expect(await log.append(EVENT)).toBe("chained");
    expect((await log.verify()).problems).toMatchObject([
      { file: "spill/h-1-a.jsonl.unreadable", what: "cannot be read" },
    ]);
  });
});

describe("reading", () => {
  const HOURS = 24 * 70;
  const start = Date.parse("2026-09-20T00:00:00Z");
  const hour = (n: number) => new Date(start + n * 3_600_000);

  beforeEach(async () => {
    for (let n = 0; n < HOURS; n += 24) {
      now = hour(n);
      const day = Array.from({ length: 24 }, (_, i) =>
        log.record({
          ...EVENT,
          bytes: n + i,
          tier: i % 2 === 0 ? "cloud" : "remote",
          details: { pad: "x".repeat(300) },
        }),
      );
      await Promise.all(day);
    }
  });

  test("a window is what lies in it, over months, both ends included, in either order", async () => {
    for (const [from, to] of [
      [0, 24],
      [24 * 9, 24 * 14],
      [24 * 30, 24 * 30],
      [24 * 69, 9999],
      [-500, -1],
    ] as const) {
      const filter = { from: hour(from), to: hour(to) };
      const all = (await read()).filter(({ at }) => at >= filter.from && at <= filter.to);
      expect(await read(filter)).toEqual(all);
      expect(await read(filter, "newest-first")).toEqual(all.toReversed());
    }
    expect(await read({ from: hour(24 * 9), to: hour(24 * 14) })).toHaveLength(24 * 6);
  });

  test("filters add up", async () => {
    const filter: AuditFilter = { from: hour(0), to: hour(24), tier: "cloud", action: ["backup.copy"], outcome: "ok" };
    expect(await read(filter)).toHaveLength(24);
    for (const other of [
      { actor: "x" },
      { database: "x" },
      { backupId: "x" },
      { action: "backup.dump" },
      { outcome: "failed" },
    ]) {
      expect(await read({ ...filter, ...(other as AuditFilter) })).toEqual([]);
    }
  });

  test("follow yields what comes, over the end of a month, from where it is asked to", async () => {
    const ended = new AbortController();
    const fresh: number[] = [];
    const old: number[] = [];
    const gather = async (into: number[], filter: AuditFilter) => {
      for await (const event of log.follow(filter, ended.signal)) into.push(event.bytes ?? -1);
    };
    const followers = [gather(fresh, {}), gather(old, { from: hour(24 * 69) })];
    await sleep(200);
    now = new Date("2026-11-30T23:59:59Z");
    await log.record({ ...EVENT, bytes: 9001 });
    now = new Date("2026-12-01T00:00:01Z");
    await log.record({ ...EVENT, bytes: 9002 });
    while (old.at(-1) !== 9002 || fresh.at(-1) !== 9002) await sleep(20);
    ended.abort();
    await Promise.all(followers);
    expect(fresh).toEqual([9001, 9002]);
    expect(old.slice(-3)).toEqual([HOURS - 1, 9001, 9002]);
  });
});
