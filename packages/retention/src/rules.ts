import { DAY_MS, DAY_SECONDS, type RetentionPolicy } from "@trivault/core";
import { type Buckets, type Unit, UNITS } from "./calendar.ts";

/** A backup as the rules see it. */
export interface Counted {
  readonly id: string;
  readonly time: number;
  readonly bytes: number;
  readonly buckets: Buckets;
}

/** A newer backup of less than a tenth of the size says nothing against an older one. */
export const TINY = 10;
/** Two backups further apart than this were not made by clocks that were right: no schedule is that slow. */
const CLOCK_JUMP_MS = 400 * DAY_MS;

/**
 * What a policy keeps of a series (newest first), and why. A rule goes from the newest to the oldest and keeps a backup
 * unless enough of those that it has kept already stand for it. No clock is looked at, only the backups themselves: rules
 * count buckets that have backups, so a pause, or a clock that is years off, empties nothing.
 *
 * A backup is displaced only by newer ones that have at least a tenth of its size, or lie beyond `acceptedFrom`: a flood of
 * tiny junk (a database that was emptied, a dump that misses its tables) takes the place of nothing good.
 *
 * As a rule judges each backup only against those that it keeps, taking away any that it does not keep changes no
 * judgement: applying a plan leads to a state in which the same plan has nothing left to do.
 */
export function keptByRules(
  series: readonly Counted[],
  policy: RetentionPolicy,
  acceptedFrom: string | null,
): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  const because = (id: string, reason: string) => {
    const known = reasons.get(id);
    if (known) known.push(reason);
    else reasons.set(id, [reason]);
  };
  const displaces = (newer: Counted, older: Counted) => isNormal(newer, older, acceptedFrom);
  const last = newestCount(policy);
  for (const { id } of newestOfBuckets(series, last, displaces, (backup) => backup.id)) {
    because(id, last === 1 ? "the newest" : `one of the newest ${last}`);
  }
  for (const unit of UNITS) {
    for (const { id, buckets } of newestOfBuckets(series, policy[unit], displaces, bucketOf(unit))) {
      because(id, `${unit} ${buckets[unit].label}`);
    }
  }
  if (policy.withinSeconds !== null) {
    const reason = `within ${formatPeriod(policy.withinSeconds)} of the newest`;
    for (const { id } of within(series, policy.withinSeconds * 1000, displaces)) because(id, reason);
  }
  return reasons;
}

/** `at least 2, hourly 48, within 30 days` */
export function describePolicy(policy: RetentionPolicy): string {
  const newest = newestCount(policy);
  const parts = [newest === policy.last ? `last ${newest}` : `at least ${newest}`];
  for (const unit of UNITS) if (policy[unit] > 0) parts.push(`${unit} ${policy[unit]}`);
  if (policy.withinSeconds !== null) parts.push(`within ${formatPeriod(policy.withinSeconds)}`);
  return parts.join(", ");
}

/** The floor is the rule of the newest N, which no policy can set lower. */
function newestCount(policy: RetentionPolicy): number {
  return Math.max(policy.last, policy.atLeast, 1);
}

/** Whether the size of a newer backup is no reason to doubt it, seen from an older one. */
function isNormal(newer: Counted, older: Counted, acceptedFrom: string | null): boolean {
  if (newer.bytes * TINY >= older.bytes) return true;
  return acceptedFrom !== null && newer.id >= acceptedFrom && older.id < acceptedFrom;
}

type Displaces = (newer: Counted, older: Counted) => boolean;

const bucketOf = (unit: Unit) => (backup: Counted) => backup.buckets[unit].key;

/** The newest of each of the `count` newest buckets, as seen from each backup by those that may displace it. */
function newestOfBuckets(
  series: readonly Counted[],
  count: number,
  displaces: Displaces,
  bucket: (backup: Counted) => string,
): Counted[] {
  const kept: Counted[] = [];
  if (count === 0) return kept;
  const seen = new Set<string>();
  let smallest = Infinity;
  for (const backup of series) {
    // Nearly always all that are kept may displace it, and need not be asked one by one.
    const all = smallest * TINY >= backup.bytes;
    const rivals = all ? seen : new Set(kept.filter((other) => displaces(other, backup)).map(bucket));
    if (rivals.size >= count || rivals.has(bucket(backup))) continue;
    kept.push(backup);
    seen.add(bucket(backup));
    smallest = Math.min(smallest, backup.bytes);
  }
  return kept;
}

function within(series: readonly Counted[], period: number, displaces: Displaces): Counted[] {
  const kept: Counted[] = [];
  for (const backup of series) {
    const newest = kept.find((other) => displaces(other, backup));
    if (newest === undefined || newest.time - backup.time <= period) kept.push(backup);
  }
  return kept;
}

/**
 * The series as if clocks had never jumped: where two neighbours lie too far apart, no time has passed between them. Only
 * the rule that measures time sees a difference. Without this, one backup dated ten years ahead would put all others
 * beyond every period.
 */
export function withoutClockJumps(series: readonly Counted[]): Counted[] {
  let jumped = 0;
  return series.map((backup, index) => {
    const gap = (series[index - 1]?.time ?? backup.time) - backup.time;
    if (gap > CLOCK_JUMP_MS) jumped += gap;
    return { ...backup, time: backup.time + jumped };
  });
}

function formatPeriod(seconds: number): string {
  for (const [size, name] of [
    [DAY_SECONDS, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const) {
    if (seconds % size === 0) return `${seconds / size} ${name}${seconds === size ? "" : "s"}`;
  }
  return `${seconds} seconds`;
}
