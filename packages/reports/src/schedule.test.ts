import { expect, test } from "@jest/globals";
import { dueReport } from "./schedule.ts";

const due = (cron: string, timeZone: string, now: string) => {
  const { day, period } = dueReport({ cron, timeZone }, new Date(now));
  return [day, new Date(period.from).toISOString(), new Date(period.to).toISOString()];
};

test("a daily report covers the day up to its slot", () => {
  expect(due("0 7 * * *", "UTC", "2026-11-24T07:00:00Z")).toEqual([
    "2026-11-24",
    "2026-11-23T07:00:00.000Z",
    "2026-11-24T07:00:00.000Z",
  ]);
  expect(due("0 7 * * *", "UTC", "2026-11-24T06:59:59Z")[0]).toBe("2026-11-23");
});

test("a weekly one of a week", () => {
  expect(due("0 7 * * 1", "UTC", "2026-11-26T12:00:00Z")).toEqual([
    "2026-11-23",
    "2026-11-16T07:00:00.000Z",
    "2026-11-23T07:00:00.000Z",
  ]);
});

test("a day on which the clocks are put back has 25 hours, and its name is that of the calendar there", () => {
  expect(due("0 7 * * *", "Europe/Paris", "2026-10-25T06:30:00Z")).toEqual([
    "2026-10-25",
    "2026-10-24T05:00:00.000Z",
    "2026-10-25T06:00:00.000Z",
  ]);
  expect(due("30 23 * * *", "America/New_York", "2026-11-24T04:30:00Z")[0]).toBe("2026-11-23");
});

test("a line that comes several times a day makes one report a day, at its first time", () => {
  expect(due("0 6,12,18 * * *", "UTC", "2026-11-24T19:00:00Z")).toEqual([
    "2026-11-24",
    "2026-11-23T06:00:00.000Z",
    "2026-11-24T06:00:00.000Z",
  ]);
});
