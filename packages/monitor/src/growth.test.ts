import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { growthOf, slope } from "./growth.ts";
import type { TierSample } from "./views.ts";

const NOW = new Date("2026-11-23T12:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Hourly samples up to now. */
function samples(hours: number, of: (hour: number) => Partial<TierSample>): TierSample[] {
  return Array.from({ length: hours + 1 }, (_, index) => {
    const at = new Date(NOW.getTime() - (hours - index) * HOUR).toISOString();
    return { at, bytes: 0, copies: 0, free: null, total: null, latencySeconds: null, ...of(index) };
  });
}

test("what is known of less than a day says nothing", () => {
  expect(growthOf([], null, NOW)).toEqual({ bytesPerDay: null, fullAt: null });
  expect(
    growthOf(
      samples(23, (hour) => ({ bytes: hour })),
      null,
      NOW,
    ),
  ).toEqual({ bytesPerDay: null, fullAt: null });
  expect(
    growthOf(
      samples(24, (hour) => ({ bytes: hour })),
      null,
      NOW,
    ).bytesPerDay,
  ).toBe(24);
});

test("a tier is full when its disk is, or its budget where that is sooner", () => {
  const growing = samples(240, (hour) => ({ bytes: 1000 + 10 * hour, free: 24_000 - 10 * hour, total: 50_000 }));
  const after = (days: number) => new Date(NOW.getTime() + days * DAY).toISOString();
  expect(growthOf(growing, null, NOW)).toEqual({ bytesPerDay: 240, fullAt: after(90) });
  expect(growthOf(growing, 1000 + 2400 + 480, NOW).fullAt).toBe(after(2));
  expect(growthOf(growing, 100, NOW).fullAt).toBe(after(0));
  const others = samples(240, (hour) => ({ bytes: 1000, free: 4800 - 10 * hour, total: 50_000 }));
  expect(growthOf(others, null, NOW)).toEqual({ bytesPerDay: 0, fullAt: after(10) });
  expect(
    growthOf(
      samples(240, (hour) => ({ bytes: 9999 - hour, free: 10 + hour, total: 50_000 })),
      null,
      NOW,
    ).fullAt,
  ).toBeNull();
});

test("a clean-up, or a day on which much came at once, does not change the rate; what is long ago does not count", () => {
  const jumpy = samples(336, (hour) => ({ bytes: 100 * hour - (hour > 150 ? 5000 : 0) + (hour === 300 ? 1e9 : 0) }));
  expect(growthOf(jumpy, null, NOW).bytesPerDay).toBeGreaterThan(2000);
  expect(growthOf(jumpy, null, NOW).bytesPerDay).toBeLessThan(2600);
  const changed = samples(800, (hour) => ({ bytes: hour < 450 ? 1000 * hour : 450_000 + hour }));
  expect(growthOf(changed, null, NOW).bytesPerDay).toBe(24);
});

test("for any line the slope is its own, with a tenth of its points wherever they like", () => {
  const input = [
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { maxLength: 4 }),
  ] as const;
  fc.assert(
    fc.property(...input, (rate, wild) => {
      const points = Array.from({ length: 40 }, (_, day) => ({ day, value: rate * day }));
      for (const [index, value] of wild.entries()) points[7 * index + 3] = { day: 7 * index + 3, value };
      const found = slope(points) ?? Number.NaN;
      expect(Math.abs(found - rate)).toBeLessThan(1e-6 * Math.max(1, Math.abs(rate)));
    }),
  );
});
