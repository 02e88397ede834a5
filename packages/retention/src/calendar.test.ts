import { describe, expect, test } from "@jest/globals";
import { calendar } from "./calendar.ts";

const HOUR = 3_600_000;

function hoursOf(day: string, timeZone: string): string[] {
  const bucketsOf = calendar(timeZone);
  const around = Date.parse(`${day}T12:00:00Z`);
  const keys = new Set<string>();
  // Every ten minutes, from well before that day to well after.
  for (let time = around - 40 * HOUR; time < around + 40 * HOUR; time += HOUR / 6) {
    const { hourly, daily } = bucketsOf(new Date(time));
    if (daily.key === day) keys.add(hourly.key);
  }
  return [...keys];
}

describe("hours of a day", () => {
  test.each([
    ["2026-03-28", "Europe/Paris", 24],
    ["2026-03-29", "Europe/Paris", 23],
    ["2026-10-25", "Europe/Paris", 25],
    ["2026-03-29", "UTC", 24],
    ["2026-03-08", "America/New_York", 23],
    ["2026-11-01", "America/New_York", 25],
    // Half an hour of daylight saving: 24.5 hours, of which the half one is a bucket of its own, too.
    ["2026-04-05", "Australia/Lord_Howe", 25],
  ])("%s in %s has %i", (day, zone, hours) => {
    expect(hoursOf(day, zone)).toHaveLength(hours);
  });
});

test("the hour that comes twice has one name and two buckets", () => {
  const bucketsOf = calendar("Europe/Paris");
  const first = bucketsOf(new Date("2026-10-25T00:30:00Z")).hourly;
  const second = bucketsOf(new Date("2026-10-25T01:30:00Z")).hourly;
  expect([first.label, second.label]).toEqual(["2026-10-25 02:00", "2026-10-25 02:00"]);
  expect(first.key).not.toBe(second.key);
});

test("buckets go by the time zone, not by UTC", () => {
  const late = new Date("2026-12-31T23:30:00Z");
  const labels = (zone: string) => Object.values(calendar(zone)(late)).map(({ label }) => label);
  expect(labels("UTC")).toEqual(["2026-12-31 23:00", "2026-12-31", "2026-W53", "2026-12", "2026"]);
  expect(labels("Asia/Kolkata")).toEqual(["2027-01-01 05:00", "2027-01-01", "2026-W53", "2027-01", "2027"]);
});

test.each([
  ["2026-01-01", "2026-W01"],
  ["2024-12-30", "2025-W01"],
  ["2021-01-03", "2020-W53"],
  ["2021-01-04", "2021-W01"],
  ["2026-11-22", "2026-W47"],
  ["2026-11-23", "2026-W48"],
  ["2027-01-03", "2026-W53"],
])("%s lies in ISO week %s", (day, week) => {
  expect(calendar("UTC")(new Date(`${day}T10:00:00Z`)).weekly.label).toBe(week);
});
