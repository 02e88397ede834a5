import { expect, test } from "@jest/globals";
import { countRuns, rateOf, recoveryPoint, sizeOf } from "./measure-runs.ts";
import { describeDurations } from "./numbers.ts";
import type { ReportRun } from "./report-runs.ts";

const HOUR = 3_600_000;
const ZERO = Date.parse("2026-11-23T00:00:00Z");
const iso = (hour: number) => new Date(ZERO + hour * HOUR).toISOString();

function run(hour: number, change: Partial<ReportRun> = {}): ReportRun {
  return {
    database: "shop",
    startedAt: ZERO + hour * HOUR,
    state: "ok",
    bytes: 100,
    backupSeconds: 40,
    syncSeconds: 60,
    failure: null,
    ...change,
  };
}

test("durations: median, 95th percentile by nearest rank, worst", () => {
  expect(describeDurations([], 10)).toEqual({ count: 0, median: null, p95: null, worst: null, target: 10, beyond: 0 });
  expect(describeDurations([7], 10)).toMatchObject({ median: 7, p95: 7, worst: 7, beyond: 0 });
  expect(describeDurations([4, 1, 3, 2], 2)).toMatchObject({ median: 2.5, p95: 4, worst: 4, beyond: 2 });
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(describeDurations(hundred, 95)).toMatchObject({ median: 50.5, p95: 95, worst: 100, beyond: 5 });
});

test("what runs, or was never begun, counts for no rate", () => {
  const runs = [
    run(1),
    run(2),
    run(3, { state: "failed" }),
    run(4, { state: "incomplete" }),
    run(5, { state: "running" }),
  ];
  const counts = countRuns(runs, [{ database: "shop", at: iso(6), slots: 3 }]);
  expect(counts).toEqual({ ok: 2, failed: 1, incomplete: 1, running: 1, missed: 3 });
  expect(rateOf(counts, 0.9)).toEqual({ value: 0.5, runs: 4, objective: 0.9, verdict: "missed" });
  expect(rateOf(countRuns([], []), 0.9)).toMatchObject({ value: null, verdict: "unknown" });
});

test("recovery point: the longest gap between good backups, that to the period's end included", () => {
  const history = (hours: readonly number[]) => ({
    knownFrom: ZERO,
    copies: new Map([
      ["local", hours.map((hour) => ({ startedAt: ZERO + hour * HOUR, from: ZERO + (hour + 0.1) * HOUR, to: null }))],
    ]),
  });
  const period = { from: ZERO, to: ZERO + 24 * HOUR };
  expect(recoveryPoint(history([-2, 1, 5, 23]), period)).toBe(18 * 3600);
  expect(recoveryPoint(history([-30, -1, 5, 12]), period)).toBe(12 * 3600);
  expect(recoveryPoint(history([-30]), period)).toBe(54 * 3600);
  expect(recoveryPoint(history([]), period)).toBeNull();
  expect(recoveryPoint(undefined, period)).toBeNull();
});

test("size grows from the newest backup before the period to the newest in it", () => {
  const period = { from: ZERO, to: ZERO + 48 * HOUR };
  expect(sizeOf([run(-24, { bytes: 100 }), run(0, { bytes: 120 }), run(24, { bytes: 140 })], period)).toEqual({
    bytes: 140,
    change: 40,
    perDay: 20,
  });
  expect(sizeOf([run(0, { bytes: 120 }), run(24, { bytes: 100 })], period)).toMatchObject({ change: -20, perDay: -20 });
  expect(
    sizeOf([run(0, { bytes: 120 }), run(3, { bytes: null }), run(4, { bytes: 9, state: "failed" })], period),
  ).toEqual({
    bytes: 120,
    change: null,
    perDay: null,
  });
  expect(sizeOf([run(-24, { bytes: 100 })], period)).toEqual({ bytes: 100, change: null, perDay: null });
});
