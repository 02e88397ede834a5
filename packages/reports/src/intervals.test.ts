import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { intersect, type Interval, lengthOf, type Stretches, union, without } from "./intervals.ts";

/** A short time, so that each moment of it can be looked at. */
const END = 40;
const moments = [...Array(END).keys()];
const interval = fc.tuple(fc.nat(END), fc.nat(END)).map(([a, b]): Interval => ({ from: a, to: b })); // some are empty or turned round
const intervals = fc.array(interval, { maxLength: 8 });
const covers = (some: readonly Interval[], moment: number) =>
  some.some(({ from, to }) => from <= moment && moment < to);
const momentsOf = (some: readonly Interval[]) => moments.filter((moment) => covers(some, moment));

function expectInOrder(stretches: Stretches): void {
  for (const [index, { from, to }] of stretches.entries()) {
    expect(to).toBeGreaterThan(from);
    const next = stretches[index + 1];
    if (next) expect(next.from).toBeGreaterThan(to);
  }
}

test("union covers what any of them covers", () => {
  fc.assert(
    fc.property(intervals, (some) => {
      const all = union(some);
      expectInOrder(all);
      expect(momentsOf(all)).toEqual(momentsOf(some));
    }),
  );
});

test("intersect covers what both cover", () => {
  fc.assert(
    fc.property(intervals, intervals, (some, others) => {
      const both = intersect(union(some), union(others));
      expectInOrder(both);
      expect(momentsOf(both)).toEqual(momentsOf(some).filter((moment) => covers(others, moment)));
      expect(both).toEqual(intersect(union(others), union(some)));
    }),
  );
});

test("without leaves what the others do not cover", () => {
  fc.assert(
    fc.property(intervals, intervals, (some, others) => {
      const left = without(union(some), union(others));
      expectInOrder(left);
      expect(momentsOf(left)).toEqual(momentsOf(some).filter((moment) => !covers(others, moment)));
    }),
  );
});

test("lengths add up", () => {
  fc.assert(
    fc.property(intervals, intervals, (some, others) => {
      const [a, b] = [union(some), union(others)];
      expect(lengthOf(a)).toBe(momentsOf(some).length);
      expect(lengthOf(intersect(a, b)) + lengthOf(without(a, b))).toBe(lengthOf(a));
      expect(lengthOf(union([...a, ...b]))).toBe(lengthOf(a) + lengthOf(without(b, a)));
    }),
  );
});
