import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { sample, type SampleOptions } from "../test/sample.ts";
import { buildReport } from "./build-report.ts";
import { renderText } from "./render-text.ts";
import { renderReport } from "./render.ts";
import { reportSchema } from "./report.ts";

const report = (options: SampleOptions = {}) => buildReport(sample(options).input);

test("is as its schema says, and stays so as JSON", () => {
  const made = report();
  expect(reportSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
});

test("what went wrong is reported, and nothing else", () => {
  const made = report();
  expect(made.runs).toEqual({ ok: 184, incomplete: 5, failed: 1, running: 0, missed: 2 });
  expect(made.well).toBe(false);
  expect(made.failures.map(({ code, runs, databases, recovered }) => [code, runs, databases, recovered])).toEqual([
    ["STORE_REFUSED", 5, ["billing"], false],
    ["DATABASE_UNREACHABLE", 1, ["crm"], true],
  ]);
  expect(made.decisions.map(({ kind }) => kind)).toEqual([
    "unsafe",
    "full-soon",
    "untrusted",
    "unknown",
    "retention-held",
    "missed-slots",
    "mark-old",
    "no-schedule",
  ]);
  expect(made.databases.filter(({ recoveryPoint }) => recoveryPoint.within === false).map(({ name }) => name)).toEqual([
    "hr",
  ]);
  expect(made.successRate30).toMatchObject({ runs: 5758, verdict: "missed" });
  expect(made.availability30).toMatchObject({ verdict: "missed", unreachableSeconds: 1800 });
});

test("where everything is healthy there is nothing to decide, and the objectives are met", () => {
  const made = report({ troubles: false });
  expect(made).toMatchObject({ well: true, failures: [], decisions: [] });
  expect(made.successRate30).toMatchObject({ value: 1, verdict: "met" });
  // The audit log is a day older than the 30 days.
  expect(report({ troubles: false, days: 31 }).availability30).toMatchObject({ value: 1, verdict: "met" });
});

test("of a young site the objectives are not known yet", () => {
  const made = report({ troubles: false, days: 3, databases: 2 });
  expect(made.availability30.verdict).toBe("unknown");
  expect(made.availability30.knownSeconds).toBeLessThan(3 * 86_400);
  // But for the minute in which the first copies were made.
  expect(made.availability30.value).toBeCloseTo(1, 3);
});

test("without databases nothing is said to be well", () => {
  expect(report({ databases: 0 })).toMatchObject({ well: false, databases: [], availability30: { value: null } });
});

test("of one database only", () => {
  const { input } = sample();
  const made = buildReport({ ...input, database: "crm" });
  expect(made.databases.map(({ name }) => name)).toEqual(["crm"]);
  expect(made.failures.map(({ databases }) => databases)).toEqual([["crm"]]);
  expect(made.runs).toMatchObject({ ok: 23, failed: 1, missed: 0 });
});

test("days are those of the schedule's zone, also where a clock was put back", () => {
  const { days } = report({ troubles: false });
  // 25 October 2026 has 25 hours in Paris; the report's 30 days begin in its middle, so it is left out.
  expect(days).toHaveLength(30);
  expect(days.at(0)).toMatchObject({ day: "2026-10-26", whole: true, ok: 8 * 24 });
  expect(days.at(-1)).toMatchObject({ day: "2026-11-24", whole: false, ok: 8 * 8 });
});

test("9.A8 it carries the end of the audit log, in each form", () => {
  const { input } = sample();
  const { text, html } = renderReport(buildReport({ ...input, recordHead: { seq: 4711, hash: "a1".repeat(32) } }));
  for (const form of [text, html]) expect(form).toMatch(/last event then was 4711, hash\s+(?:a1){32}/);
});

/** `UPDATE_GOLDEN=1` writes them anew: read the difference before it is committed. */
describe("as text", () => {
  test.each([
    ["daily.en", {}],
    ["daily.fr", { language: "fr" }],
    ["well.en", { troubles: false, databases: 2, days: 31 }],
    ["well.fr", { troubles: false, databases: 2, days: 31, language: "fr" }],
    ["week.en", { periodDays: 7, databases: 3 }],
    ["young.fr", { troubles: false, databases: 1, days: 2, language: "fr" }],
    ["nothing.en", { databases: 0, troubles: false }],
  ] as const)("%s", (name, options) => {
    const file = path.join(import.meta.dirname, `../test/golden/${name}.txt`);
    const text = renderText(report(options));
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
    expect(text.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });
});
