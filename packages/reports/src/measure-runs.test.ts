import { expect, test } from "@jest/globals";
import type { Run } from "@trivault/monitor";
import { countRuns, rateOf, recoveryPoint, sizeOf, syncSeconds } from "./measure-runs.ts";
import { describeDurations } from "./numbers.ts";

const HOUR = 3_600_000;
const ZERO = Date.parse("2026-11-23T00:00:00Z");
const iso = (hour: number) => new Date(ZERO + hour * HOUR).toISOString();

function run(hour: number, change: Partial<Run> = {}): Run {
  return {
    backupId: "20261123t020000z-7f3k9xq2",
    database: "shop",
    startedAt: iso(hour),
    state: "ok",
    actor: "schedule",
    slot: null,
    seconds: 60,
    bytes: 100,
    stages: [],
    problem: null,
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

test("a run is on the last tier when the slowest copy is, and only if all are", () => {
  const stage = (tier: string, seconds: number) => {
    const endedAt = new Date(ZERO + seconds * 1000).toISOString();
    return { stage: "copy", tier, outcome: "ok", endedAt, seconds, bytes: 1, attempts: 1 } as const;
  };
  const stages = [stage("remote", 90), stage("cloud", 400)];
  expect(syncSeconds(run(0, { stages }))).toBe(400);
  expect(syncSeconds(run(0, { stages, state: "incomplete" }))).toBeNull();
  expect(syncSeconds(run(0))).toBeNull();
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
