import { median } from "@trivault/core";
import type { Durations } from "./report.ts";

export function describeDurations(seconds: readonly number[], target: number): Durations {
  const sorted = seconds.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    median: rounded(median(sorted)),
    p95: rounded(percentile(sorted, 0.95)),
    worst: rounded(sorted.at(-1) ?? null),
    target,
    beyond: sorted.filter((each) => each > target).length,
  };
}

/** Nearest rank: the least of them that so large a share does not exceed. */
function percentile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
