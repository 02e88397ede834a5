import { formatBytes, median, shellWord } from "@trivault/core";
import { type Counted, TINY } from "./rules.ts";
import type { PlanBackup } from "./types.ts";

/** So many backups before one show what size is normal for it; with fewer, nothing is. */
const YARDSTICK = { most: 10, least: 3 } as const;

export function futureWarning(database: string, future: readonly PlanBackup[]): string[] {
  const [newest] = future;
  if (newest === undefined) return [];
  return [
    `${database}: ${count(future.length)} dated in the future (up to ${newest.startedAt.toISOString()}), so a clock is or was ` +
      "wrong. They are kept and displace nothing until that time has come. Look at the clocks of the machines that make backups.",
  ];
}

/**
 * A warning where the newest backup, and maybe some before it, have less than a tenth of what was normal: they displace nothing
 * (see `keptByRules`), so the tiers grow until somebody has looked.
 */
export function sizeWarning(database: string, series: readonly Counted[], acceptedFrom: string | null): string[] {
  let normal: Counted[] = [];
  let small: Counted[] = [];
  for (const backup of series.toReversed()) {
    if (acceptedFrom !== null && backup.id >= acceptedFrom && (normal[0]?.id ?? acceptedFrom) < acceptedFrom)
      normal = [];
    const before = normal.slice(-YARDSTICK.most);
    if (before.length >= YARDSTICK.least && backup.bytes * TINY < medianSize(before)) small.push(backup);
    else {
      normal.push(backup);
      small = [];
    }
  }
  const [first] = small;
  if (first === undefined) return [];
  return [
    `${database}: ${count(small.length)} of less than a tenth of the size of those before, from ${first.id} on ` +
      `(${formatBytes(first.bytes)} after ${formatBytes(medianSize(normal.slice(-YARDSTICK.most)))}). They displace none of those ` +
      `before. Look at what is in the newest one; if the database did become so small, say so: ` +
      `trivault keep accept-size --database ${shellWord(database)} --from ${first.id}`,
  ];
}

function medianSize(backups: readonly Counted[]): number {
  return median(backups.map(({ bytes }) => bytes)) ?? 0;
}

function count(backups: number): string {
  return backups === 1 ? "1 backup is" : `${backups} backups are`;
}
