/** A stretch of time, `to` not included; milliseconds since 1970. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Stretches that are in order, not empty, and neither overlap nor touch. What `union` makes is so; the others want it so. */
export type Stretches = readonly Interval[];

/** Whatever one of them covers. */
export function union(intervals: readonly Interval[]): Stretches {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of intervals.filter((each) => each.to > each.from).toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** What both cover. */
export function intersect(a: Stretches, b: Stretches): Stretches {
  const both: Interval[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [one, other] = [a[i] as Interval, b[j] as Interval];
    const from = Math.max(one.from, other.from);
    const to = Math.min(one.to, other.to);
    if (to > from) both.push({ from, to });
    if (one.to < other.to) i++;
    else j++;
  }
  return both;
}

/** What of `whole` the others do not cover. */
export function without(whole: Stretches, others: Stretches): Stretches {
  const left: Interval[] = [];
  for (const { from, to } of whole) {
    let begin = from;
    for (const other of others) {
      if (other.to <= begin) continue;
      if (other.from >= to) break;
      if (other.from > begin) left.push({ from: begin, to: other.from });
      begin = other.to;
    }
    if (begin < to) left.push({ from: begin, to });
  }
  return left;
}

export function lengthOf(stretches: Stretches): number {
  return stretches.reduce((sum, { from, to }) => sum + (to - from), 0);
}
