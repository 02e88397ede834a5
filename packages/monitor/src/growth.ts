import { DAY_MS } from "@trivault/core";
import type { TierSample } from "./views.ts";

/** What is older says nothing of how a tier grows now. */
const LOOK_BACK_MS = 14 * DAY_MS;
/** Pairs of so many points are still few. */
const MOST_POINTS = 120;
/** Further ahead than this nobody plans. */
const FAR_DAYS = 3650;

export interface Growth {
  /** The growth of our own bytes there; null where there are samples of less than a day. */
  readonly bytesPerDay: number | null;
  readonly fullAt: string | null;
}

/** How a tier grows by its samples (oldest first), and when that fills its disk, or its budget where that comes first. */
export function growthOf(samples: readonly TierSample[], budgetBytes: number | null, now: Date): Growth {
  const recent = samples.filter(({ at }) => now.getTime() - Date.parse(at) <= LOOK_BACK_MS);
  const newest = recent.at(-1);
  const bytesPerDay = slope(recent.map(({ at, bytes }) => ({ day: Date.parse(at) / DAY_MS, value: bytes })));
  if (newest === undefined || bytesPerDay === null) return { bytesPerDay: null, fullAt: null };
  // Others may fill the same disk.
  const used = recent.flatMap(({ at, free, total }) =>
    free === null || total !== newest.total ? [] : [{ day: Date.parse(at) / DAY_MS, value: -free }],
  );
  const days = [
    daysUntil(newest.free, slope(used) ?? bytesPerDay),
    daysUntil(budgetBytes === null ? null : budgetBytes - newest.bytes, bytesPerDay),
  ];
  const soonest = Math.min(...days);
  const fullAt = soonest > FAR_DAYS ? null : new Date(Date.parse(newest.at) + soonest * DAY_MS).toISOString();
  return { bytesPerDay: Math.round(bytesPerDay), fullAt };
}

function daysUntil(room: number | null, perDay: number): number {
  if (room === null) return Infinity;
  if (room <= 0) return 0;
  return perDay > 0 ? room / perDay : Infinity;
}

/**
 * Theil and Sen: the median of the slopes between all pairs of points. A clean-up, or a day on which much came at once, does
 * not move it. Null where the points are less than a day apart.
 */
export function slope(points: readonly { readonly day: number; readonly value: number }[]): number | null {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last.day - first.day < 1) return null;
  const step = Math.ceil(points.length / MOST_POINTS);
  const some = points.filter((_, index) => (points.length - 1 - index) % step === 0);
  const slopes: number[] = [];
  for (const [index, a] of some.entries()) {
    for (const b of some.slice(index + 1)) if (b.day > a.day) slopes.push((b.value - a.value) / (b.day - a.day));
  }
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  const [low, high] = [slopes[Math.ceil(middle) - 1], slopes[Math.floor(middle)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
