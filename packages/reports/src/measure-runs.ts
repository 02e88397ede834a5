import { DAY_MS } from "@trivault/core";
import type { RecordedEvent } from "@trivault/audit";
import type { MissedRun } from "@trivault/monitor";
import type { DatabaseHistory } from "./copy-history.ts";
import { contains } from "./input.ts";
import type { Interval } from "./intervals.ts";
import type { ReportRun } from "./report-runs.ts";
import type { DatabaseReport, Rate, RunCounts } from "./report.ts";

/** Success is a backup on every tier. What still runs, or was never begun, is neither. */
export function countRuns(runs: readonly ReportRun[], missed: readonly MissedRun[]): RunCounts {
  const counts = { ok: 0, incomplete: 0, failed: 0, running: 0 };
  for (const { state } of runs) counts[state]++;
  return { ...counts, missed: missed.reduce((sum, { slots }) => sum + slots, 0) };
}

export function addCounts(all: readonly RunCounts[]): RunCounts {
  const sum = { ok: 0, incomplete: 0, failed: 0, running: 0, missed: 0 };
  for (const counts of all) for (const key of Object.keys(sum) as (keyof RunCounts)[]) sum[key] += counts[key];
  return sum;
}

export function endedRuns({ ok, incomplete, failed }: RunCounts): number {
  return ok + incomplete + failed;
}

export function successOf(counts: RunCounts): number | null {
  const ended = endedRuns(counts);
  return ended === 0 ? null : counts.ok / ended;
}

export function rateOf(counts: RunCounts, objective: number): Rate {
  const value = successOf(counts);
  return {
    value,
    runs: endedRuns(counts),
    objective,
    verdict: value === null ? "unknown" : value >= objective ? "met" : "missed",
  };
}

/**
 * The longest time between the beginnings of two good backups that follow each other, of which the later one was begun in the
 * period, or from the last one to the period's end. Good: a tier has, or had, a complete copy of it.
 */
export function recoveryPoint(history: DatabaseHistory | undefined, period: Interval): number | null {
  const spans = [...(history?.copies.values() ?? [])].flat();
  const begun = spans.filter(({ from, startedAt }) => from < period.to && startedAt < period.to);
  const starts = begun.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b);
  if (starts.length === 0) return null;
  let longest = 0;
  for (const [index, start] of [...starts, period.to].entries()) {
    const before = starts[index - 1];
    if (before !== undefined && start >= period.from) longest = Math.max(longest, start - before);
  }
  return longest / 1000;
}

/** The size of one backup, the newest that was begun in the period, against the newest before it, or else the first in it. */
export function sizeOf(runs: readonly ReportRun[], period: Interval): DatabaseReport["size"] {
  const sized = runs
    .flatMap(({ bytes, startedAt, state }) => {
      return bytes === null || state === "failed" ? [] : [{ bytes, at: startedAt }];
    })
    .filter(({ at }) => at < period.to)
    .toSorted((a, b) => a.at - b.at);
  const inside = sized.filter(({ at }) => at >= period.from);
  const last = inside.at(-1);
  if (last === undefined) return { bytes: sized.at(-1)?.bytes ?? null, change: null, perDay: null };
  const first = sized.findLast(({ at }) => at < period.from) ?? inside[0];
  if (first === undefined || first.at === last.at) return { bytes: last.bytes, change: null, perDay: null };
  const change = last.bytes - first.bytes;
  return { bytes: last.bytes, change, perDay: Math.round((change * DAY_MS) / (last.at - first.at)) };
}

export interface Missed extends MissedRun {
  readonly moment: number;
}

/** Slots that nothing was run for, by the audit log. */
export function missedSlots(events: readonly RecordedEvent[]): Missed[] {
  return events.flatMap(({ action, database, at, details }) => {
    if (action !== "schedule.missed" || database === undefined) return [];
    const slots = Number(details?.["missed"] ?? 1); // 0: none was missed, it was only late
    return slots > 0 ? [{ database, at: at.toISOString(), moment: at.getTime(), slots }] : [];
  });
}

export function beganIn(period: Interval): (run: ReportRun) => boolean {
  return ({ startedAt }) => contains(period, startedAt);
}
