import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type AuditLog, openAuditLog } from "./audit-log.ts";
import type { AuditEvent } from "./event.ts";
import { type Anchor, createKnownHeads } from "./known-heads.ts";
import { GENESIS, type Link, prepare, readLink, writeLine } from "./line.ts";

/** Three months of ten events each: 1 to 10, 11 to 20, 21 to 30. */
const [FIRST, SECOND, THIRD] = ["2026-09.jsonl", "2026-10.jsonl", "2026-11.jsonl"] as const;
const EVENT: AuditEvent = { action: "backup.copy", outcome: "ok", actor: "schedule", database: "shop" };

let dir: TempDir;
let now: Date;
let log: AuditLog;
beforeEach(async () => {
  dir = await makeTempDir("audit");
  log = openAuditLog(dir.path, { now: () => now });
  for (const month of ["09", "10", "11"]) {
    now = new Date(`2026-${month}-05T00:00:00Z`);
    await Promise.all(Array.from({ length: 10 }, (_, bytes) => log.record({ ...EVENT, bytes })));
  }
});
afterEach(() => dir.remove());

const at = (name: string) => path.join(dir.path, name);
const linesOf = (name: string) => readFileSync(at(name), "utf8").trimEnd().split("\n");
const write = (name: string, lines: readonly string[]) =>
  writeFileSync(at(name), lines.map((line) => `${line}\n`).join(""));
/** Changes the lines of a file. */
function edit(name: string, change: (lines: string[]) => void): void {
  const lines = linesOf(name);
  change(lines);
  write(name, lines);
}
/** One that remembers nothing of what was written so far. */
const otherProcess = (anchors: readonly Anchor[] = []) =>
  openAuditLog(dir.path, { now: () => now, known: createKnownHeads(), anchors: async () => anchors });
const problems = async () => (await log.verify()).problems;
const link = (line = ""): Link => readLink(Buffer.from(line)) ?? GENESIS;
/** A line as a forger makes it who knows the format. */
const forged = (after: Link, bytes = 666) => writeLine(prepare({ ...EVENT, bytes }, now), after, after.at);
/** All lines from an index on, written anew with hashes that fit. */
function rewrite(lines: string[], from: number): Link {
  let last = link(lines[from - 1]);
  for (let i = from; i < lines.length; i += 1) {
    const { text, link: next } = forged(last, 1000 + i);
    lines[i] = text.trimEnd();
    last = next;
  }
  return last;
}

test("untouched, nothing is found", async () => {
  expect(await log.verify()).toMatchObject({ ok: true, events: 30, head: { seq: 30 }, problems: [] });
});

describe("each tampering is found once, and where it was done", () => {
  const swap = (lines: string[], a: number, b: number) => {
    [lines[a], lines[b]] = [lines[b] ?? "", lines[a] ?? ""];
  };
  test.each<[string, () => void, object]>([
    [
      "a byte changed",
      () => edit(SECOND, (lines) => (lines[4] = (lines[4] ?? "").replace('"shop"', '"shoq"'))),
      { file: SECOND, line: 5, seq: 15, what: expect.stringContaining("not as it was written") },
    ],
    [
      "a byte changed so that it is no JSON any more",
      () => edit(SECOND, (lines) => (lines[4] = (lines[4] ?? "").replace('"shop"', '"shop'))),
      { file: SECOND, line: 5, seq: 15 },
    ],
    [
      "a byte of a hash changed, in the last line",
      () =>
        edit(
          THIRD,
          (lines) => (lines[9] = (lines[9] ?? "").replace(/.(?="\}$)/, (digit) => (digit === "0" ? "1" : "0"))),
        ),
      { file: THIRD, line: 10, seq: 30 },
    ],
    [
      "a line deleted",
      () => edit(SECOND, (lines) => lines.splice(4, 1)),
      { file: SECOND, line: 5, seq: 15, what: "before it event 15 is missing" },
    ],
    [
      "lines deleted",
      () => edit(SECOND, (lines) => lines.splice(4, 3)),
      { file: SECOND, line: 5, seq: 15, what: "before it events 15 to 17 are missing" },
    ],
    [
      "a line put in that is none",
      () => edit(SECOND, (lines) => lines.splice(4, 0, '{"action":"backup.deleted"}')),
      { file: SECOND, line: 5, what: expect.stringContaining("does not belong here") },
    ],
    [
      "a line put in whose hashes fit",
      () => edit(SECOND, (lines) => lines.splice(4, 0, forged(link(lines[3])).text.trimEnd())),
      { file: SECOND, line: 5, seq: 15, what: expect.stringContaining("was put in") },
    ],
    [
      "two lines swapped",
      () => edit(SECOND, (lines) => swap(lines, 4, 5)),
      { file: SECOND, line: 5, seq: 15, what: expect.stringContaining("the order was changed: event 15") },
    ],
    [
      "a line moved to the end",
      () => edit(THIRD, (lines) => lines.push(...lines.splice(2, 1))),
      { file: THIRD, line: 3, seq: 23, what: expect.stringContaining("the order was changed") },
    ],
    [
      "a line written twice",
      () => edit(SECOND, (lines) => lines.splice(5, 0, lines[4] ?? "")),
      { file: SECOND, line: 6, seq: 15, what: expect.stringContaining("a second time") },
    ],
    [
      "a line written anew, with its hash",
      () => edit(SECOND, (lines) => (lines[4] = forged(link(lines[3])).text.trimEnd())),
      { file: SECOND, line: 5, seq: 15, what: expect.stringContaining("written anew") },
    ],
    [
      "the end cut off",
      () => edit(THIRD, (lines) => lines.splice(7)),
      { file: THIRD, line: 8, seq: 28, what: expect.stringContaining("events 28 to 30 are missing") },
    ],
    [
      "the end cut off in the middle of a line",
      () => writeFileSync(at(THIRD), readFileSync(at(THIRD)).subarray(0, -20)),
      { file: THIRD, line: 10, seq: 30, what: expect.stringContaining("event 30 is missing") },
    ],
    ["the first month deleted", () => rmSync(at(FIRST)), { file: SECOND, line: 1, seq: 1 }],
    ["a month in the middle deleted", () => rmSync(at(SECOND)), { file: THIRD, line: 1, seq: 11 }],
    ["the last month deleted", () => rmSync(at(THIRD)), { file: SECOND, line: 11, seq: 21 }],
    [
      "a month put twice",
      () => writeFileSync(at(THIRD), Buffer.concat([readFileSync(at(THIRD)), readFileSync(at(THIRD))])),
      { file: THIRD, line: 11, seq: 21, what: expect.stringContaining("and the 9 after it") },
    ],
    ["head.json deleted", () => rmSync(at("head.json")), { file: "head.json", line: 0 }],
    ["head.json made unreadable", () => writeFileSync(at("head.json"), "{}"), { file: "head.json", line: 0 }],
    [
      "head.json replaced by another's",
      () =>
        writeFileSync(
          at("head.json"),
          readFileSync(at("head.json"), "utf8").replace(/(?<="hash":")./, (digit) => (digit === "0" ? "1" : "0")),
        ),
      { file: THIRD, line: 10, seq: 30, what: expect.stringContaining("head.json") },
    ],
    [
      "all from a line on written anew, with hashes that fit",
      () => edit(THIRD, (lines) => rewrite(lines, 4)),
      { file: THIRD, line: 10, seq: 30, what: expect.stringContaining("written anew") },
    ],
    [
      "a part of a line appended to an old month",
      () => writeFileSync(at(FIRST), "{", { flag: "a" }),
      { file: FIRST, line: 11, what: "is only a part of a line" },
    ],
  ])("%s", async (_, tamper, expected) => {
    tamper();
    const verdict = await log.verify();
    expect(verdict.ok).toBe(false);
    expect(verdict.problems).toEqual([expect.objectContaining(expected)]);
  });

  test("several, each for itself", async () => {
    edit(FIRST, (lines) => (lines[2] = (lines[2] ?? "").replace("shop", "shoq")));
    edit(SECOND, (lines) => lines.splice(4, 1));
    edit(THIRD, (lines) => lines.splice(8));
    expect(await problems()).toMatchObject([
      { file: FIRST, line: 3 },
      { file: SECOND, line: 5 },
      { file: THIRD, line: 9 },
    ]);
  });
});

describe("writing on does not cover a tampering", () => {
  test.each<[string, () => void, object]>([
    ["the end cut off", () => edit(THIRD, (lines) => lines.splice(7)), { file: THIRD, line: 8, seq: 28 }],
    ["the last month deleted", () => rmSync(at(THIRD)), { seq: 21 }],
    ["the last line written anew", () => edit(THIRD, (lines) => rewrite(lines, 9)), { file: THIRD, line: 10, seq: 30 }],
  ])("%s", async (_, tamper, expected) => {
    tamper();
    await log.record(EVENT);
    expect(await problems()).toMatchObject([expected]);
  });

  test("and says so in the audit log itself, where it can see it at a glance", async () => {
    edit(THIRD, (lines) => lines.splice(7));
    await log.record(EVENT);
    const broken = await Array.fromAsync(log.query({ action: "audit.broken" }));
    expect(broken).toMatchObject([{ seq: 31, outcome: "failed", details: { head: 30, last: 27 } }]);
  });
});

test("the limit: who writes all of it anew, head.json too, is not found; a hash kept elsewhere shows it", async () => {
  const kept = (await log.verify()).head;
  const forger = openAuditLog(at("forged"), { now: () => now, known: createKnownHeads() });
  for (let i = 0; i < 30; i += 1) await forger.record(EVENT);
  for (const name of [FIRST, SECOND]) rmSync(at(name));
  mkdirSync(at("spill"), { recursive: true });
  for (const name of [THIRD, "head.json"]) copyFileSync(at(`forged/${name}`), at(name));
  const verdict = await otherProcess().verify();
  expect(verdict.ok).toBe(true);
  expect(verdict.head).not.toEqual(kept);
  const anchor = { seq: 30, hash: kept?.hash ?? "", where: "alerts/state.json" };
  const anchored = await otherProcess([anchor]).verify();
  expect(anchored.problems).toMatchObject([{ seq: 30, what: expect.stringContaining("written anew") }]);
  expect((await log.verify()).problems).toMatchObject([{ seq: 30, what: expect.stringContaining("this process") }]);
});

describe("9.A8 an audit log that was removed whole", () => {
  const anchor = () => ({ ...(log.head() ?? { seq: 0, hash: "" }), where: "alerts/state.json" });
  const remove = () => rmSync(dir.path, { recursive: true });
  const broken = () => Array.fromAsync(log.query({ action: "audit.broken" }));

  test.each([
    ["it is verified", () => log.verify()],
    ["it is looked at", () => log.check()],
    ["an event is recorded", () => log.record(EVENT)],
  ])("9.A8 is noticed by a process that wrote to it: %s", async (_, act) => {
    remove();
    await act();
    expect(await problems()).toMatchObject([{ seq: expect.any(Number) }]);
    await log.check();
    expect(await broken()).toMatchObject([
      { seq: 31, outcome: "failed", details: { head: 30, where: "this process" } },
    ]);
    await log.check();
    await log.record(EVENT);
    expect(await broken()).toHaveLength(1);
    expect(await problems()).toMatchObject([{ what: "before it events 1 to 30 are missing" }]);
  });

  test("9.A8 and begun anew by another process: the next of those that knew it says so", async () => {
    remove();
    const other = otherProcess();
    for (let i = 0; i < 3; i += 1) await other.record(EVENT);
    expect((await other.verify()).ok).toBe(true);
    expect((await log.verify()).ok).toBe(false);
    await log.check();
    expect(await broken()).toMatchObject([{ seq: 31, details: { head: 30, last: 3 } }]);
    expect((await other.verify()).ok).toBe(false);
  });

  test("9.A8 and written anew, longer than it was", async () => {
    remove();
    const other = otherProcess();
    for (let i = 0; i < 40; i += 1) await other.record(EVENT);
    await log.record(EVENT);
    expect(await broken()).toMatchObject([{ seq: 41, details: { head: 30, last: 40 } }]);
  });

  test("9.A8 while nobody ran: the next process sees it by what was written elsewhere", async () => {
    const elsewhere = anchor();
    remove();
    const next = otherProcess([elsewhere]);
    expect((await next.verify()).problems).toMatchObject([
      { seq: 30, what: expect.stringContaining("alerts/state.json has seen event 30") },
    ]);
    await next.check();
    expect(await broken()).toMatchObject([{ seq: 31, details: { head: 30, last: 0, where: "alerts/state.json" } }]);
  });

  test("9.A8 others that write on are no reason to doubt", async () => {
    const other = otherProcess([anchor()]);
    for (let i = 0; i < 3; i += 1) {
      await other.record(EVENT);
      await log.check();
      await log.record(EVENT);
    }
    expect(await broken()).toEqual([]);
    expect(await problems()).toEqual([]);
  });
});
