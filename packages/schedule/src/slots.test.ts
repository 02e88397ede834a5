import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { isCron } from "./cron-line.ts";
import { latestSlot, longestGapSeconds, nextSlot, spreadSeconds } from "./slots.ts";
import type { Schedule } from "./types.ts";
import { wallAt } from "./wall-clock.ts";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** Each with a day on which its clocks are put forward and one on which they are put back, where they are. */
const CHANGES: readonly [timeZone: string, day: string][] = [
  ["Europe/Paris", "2026-03-29"],
  ["Europe/Paris", "2026-10-25"],
  ["America/New_York", "2026-03-08"],
  ["America/New_York", "2026-11-01"],
  ["America/Santiago", "2026-09-06"], // at midnight
  ["Africa/Cairo", "2026-10-29"],
  ["Australia/Lord_Howe", "2026-10-04"], // by half an hour
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Pacific/Apia", "2011-12-30"], // a whole day is left out
  ["Asia/Kathmandu", "2026-03-29"],
  ["UTC", "2026-10-25"],
];

function slotsOn(schedule: Schedule, from: Date, to: Date): string[] {
  const found: string[] = [];
  for (let slot = nextSlot(schedule, from); slot < to; slot = nextSlot(schedule, slot)) found.push(slot.toISOString());
  return found;
}

/** The slots of a day, by the clocks on the wall. */
function onDay(cron: string, timeZone: string, day: string): string[] {
  const middle = Date.parse(`${day}T12:00:00Z`);
  const slots = slotsOn({ cron, timeZone }, new Date(middle - DAY), new Date(middle + DAY));
  const walls = slots.map((slot) => new Date(wallAt(timeZone, Date.parse(slot))).toISOString());
  return walls.filter((wall) => wall.startsWith(day)).map((wall) => wall.slice(11, 16));
}

describe("daylight saving", () => {
  test("a daily line runs once on the day that lacks its time, and once on the day that has it twice", () => {
    expect(onDay("30 2 * * *", "Europe/Paris", "2026-03-29")).toEqual(["03:30"]);
    expect(onDay("30 2 * * *", "Europe/Paris", "2026-10-25")).toEqual(["02:30"]);
    expect(onDay("15 2 * * *", "Australia/Lord_Howe", "2026-10-04")).toEqual(["02:45"]);
    expect(onDay("20,40 2 * * *", "Australia/Lord_Howe", "2026-10-04")).toEqual(["02:40", "02:50"]);
    expect(onDay("45 1 * * *", "Australia/Lord_Howe", "2026-04-05")).toEqual(["01:45"]);
    expect(onDay("0 0 * * *", "America/Santiago", "2026-09-06")).toEqual(["01:00"]);
  });

  test("an hourly line runs each real hour", () => {
    expect(onDay("0 * * * *", "Europe/Paris", "2026-10-25")).toHaveLength(25);
    expect(onDay("0 * * * *", "Europe/Paris", "2026-03-29")).toHaveLength(23);
    expect(onDay("0 * * * *", "Asia/Kathmandu", "2026-03-29")).toHaveLength(24);
    const long = slotsOn(
      { cron: "0 * * * *", timeZone: "America/New_York" },
      at("2026-11-01T00:00Z"),
      at("2026-11-02T00:00Z"),
    );
    expect(long.map((slot) => Date.parse(slot) % (60 * MINUTE))).toEqual(Array.from({ length: 23 }, () => 0));
  });
});

const at = (text: string) => new Date(text);
const few = (max: number) => fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 4 });
const cronLines = fc.oneof(
  fc.tuple(few(59), few(23)).map(([minutes, hours]) => `${minutes.join(",")} ${hours.join(",")} * * *`),
  fc
    .tuple(few(59), fc.constantFrom("1-3", "0-23", "*/2"))
    .map(([minutes, hours]) => `${minutes.join(",")} ${hours} * * *`),
  few(59).map((minutes) => `${minutes.join(",")} * * * *`),
);
const near = fc.record({ change: fc.constantFrom(...CHANGES), minute: fc.integer({ min: -2880, max: 2880 }) });

describe("whatever the line and the zone", () => {
  test("slots are those that a walk over all minutes finds", () => {
    fc.assert(
      fc.property(cronLines, fc.constantFrom(...CHANGES), (cron, [timeZone, day]) => {
        const middle = Date.parse(`${day}T12:00:00Z`);
        const walked = walkMinutes(cron, timeZone, middle - 2 * DAY, middle + 2 * DAY);
        const slots = slotsOn({ cron, timeZone }, new Date(middle - DAY), new Date(middle + DAY));
        expect(slots).toEqual(
          walked
            .filter((slot) => slot > middle - DAY && slot < middle + DAY)
            .map((slot) => new Date(slot).toISOString()),
        );
      }),
      { numRuns: 12 },
    );
  });

  test("the next slot is later, is itself the latest one at its time, and nothing lies between it and the one before", () => {
    fc.assert(
      fc.property(cronLines, near, (cron, { change: [timeZone, day], minute }) => {
        const schedule = { cron, timeZone };
        const now = new Date(Date.parse(`${day}T12:00:00Z`) + minute * MINUTE);
        const next = nextSlot(schedule, now);
        expect(next.getTime()).toBeGreaterThan(now.getTime());
        expect(latestSlot(schedule, next)).toEqual(next);
        const latest = latestSlot(schedule, now);
        expect(latest.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(latestSlot(schedule, new Date(next.getTime() - 1))).toEqual(latest);
        expect(nextSlot(schedule, latest)).toEqual(next);
        const gap = (next.getTime() - latest.getTime()) / 1000;
        if (timeZone !== "Pacific/Apia") expect(gap).toBeLessThanOrEqual(longestGapSeconds(schedule, latest));
      }),
      { numRuns: 60 },
    );
  });
});

/** The slots as one would find them by hand: from minute to minute, with an eye on what the clocks leave out or repeat. */
function walkMinutes(cron: string, timeZone: string, from: number, to: number): number[] {
  const [minutes = "", hours = ""] = cron.split(" ");
  const values = (field: string, all: number): Set<number> => {
    const range = /^(\d+)-(\d+)$/.exec(field);
    const every = [...Array(all).keys()];
    if (field === "*") return new Set(every);
    if (field.startsWith("*/")) return new Set(every.filter((value) => value % Number(field.slice(2)) === 0));
    if (range) return new Set(every.filter((value) => value >= Number(range[1]) && value <= Number(range[2])));
    return new Set(field.split(",").map(Number));
  };
  const [atMinutes, atHours] = [values(minutes, 60), values(hours, 24)];
  const matches = (wall: number) =>
    atMinutes.has((wall / MINUTE) % 60) && atHours.has(Math.floor(wall / MINUTE / 60) % 24);
  const slots = new Set<number>();
  const seen = new Set<number>();
  for (let time = from, last = wallAt(timeZone, from) - MINUTE; time < to; time += MINUTE) {
    const wall = wallAt(timeZone, time);
    for (let missing = last + MINUTE; missing < wall; missing += MINUTE) {
      if (matches(missing)) slots.add(time + (missing - last - MINUTE));
    }
    if (matches(wall) && (atHours.size === 24 || !seen.has(wall))) slots.add(time);
    seen.add(wall);
    last = wall;
  }
  return [...slots].sort((a, b) => a - b);
}

test("the longest gap is that of the calendar", () => {
  const gap = (cron: string) => longestGapSeconds({ cron, timeZone: "UTC" }, at("2026-11-23T00:00Z")) / 3600;
  expect(gap("0 * * * *")).toBe(1);
  expect(gap("*/5 8-18 * * *")).toBeCloseTo(13 + 5 / 60);
  expect(gap("0 2 * * 1-5")).toBe(72);
  expect(gap("0 2 1 * *")).toBe(31 * 24);
  expect(gap("0 2 29 2 *")).toBe(1461 * 24);
  expect(longestGapSeconds({ cron: "0 2 * * *", timeZone: "Europe/Paris" }, at("2026-11-23T00:00Z"))).toBe(25 * 3600);
  expect(longestGapSeconds({ cron: "0 * * * *", timeZone: "Europe/Paris" }, at("2026-11-23T00:00Z"))).toBe(3600);
});

test("a hundred databases are spread evenly, each always by the same, and never near the next slot", () => {
  const hourly = { cron: "0 * * * *", timeZone: "UTC" };
  const spreads = Array.from({ length: 100 }, (_, index) => spreadSeconds(`shop-${index}`, hourly, 300));
  expect(spreads).toEqual(Array.from({ length: 100 }, (_, index) => spreadSeconds(`shop-${index}`, hourly, 300)));
  expect(Math.max(...spreads)).toBeLessThan(300);
  expect(new Set(spreads).size).toBeGreaterThan(70);
  for (let minute = 0; minute < 5; minute++) {
    expect(spreads.filter((spread) => Math.floor(spread / 60) === minute).length).toBeGreaterThan(8);
  }
  expect(spreadSeconds("shop", { cron: "* * * * *", timeZone: "UTC" }, 300)).toBeLessThan(15);
  expect(spreadSeconds("shop", hourly, 0)).toBe(0);
});

test.each(["0 * * * *", "*/15 8-18 * * 1-5", "0 0 L * *", "30 4 1,15 jan-jun thu", "0 0 29 2 *", "*/30 * * * * *"])(
  "%s is a cron line",
  (line) => expect(isCron(line)).toBe(true),
);

test.each([
  "",
  "off",
  "* * * *",
  "60 * * * *",
  "0 0 30 2 *",
  "H * * * *",
  "@daily",
  "0 0 * * * * *",
  "0 0 * * monday!",
])("%j is none", (line) => expect(isCron(line)).toBe(false));
