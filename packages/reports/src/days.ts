import { DAY_MS } from "@trivault/core";
import type { Interval } from "./intervals.ts";
import type { Missed } from "./measure-runs.ts";
import type { ReportRun } from "./report-runs.ts";
import type { Report } from "./report.ts";

type Day = Report["days"][number];

const STEP_MS = 15 * 60_000; // no clock is put forward or back by less
/** More would be no picture any more. */
export const MOST_DAYS = 92;

export interface DayCounts {
  add(run: ReportRun): void;
  /** The days up to the end of the time, whether or not anything was begun on them. */
  days(): Day[];
}

/** Counts runs by the day on which they were begun. */
export function countDays(time: Interval, timeZone: string, missed: readonly Missed[]): DayCounts {
  const from = Math.max(time.from, time.to - MOST_DAYS * DAY_MS);
  const days = daysIn({ from, to: time.to }, timeZone);
  const counted = days.map(({ day, whole }) => ({ day, whole, ok: 0, incomplete: 0, failed: 0, missed: 0, bytes: 0 }));
  const dayAt = (moment: number) => (moment >= time.to ? undefined : counted[indexOf(days, moment)]);
  for (const { moment, slots } of missed) {
    const day = dayAt(moment);
    if (day !== undefined) day.missed += slots;
  }
  return {
    add({ startedAt, state, bytes }) {
      const day = dayAt(startedAt);
      if (day === undefined || state === "running") return;
      day[state]++;
      if (state !== "failed") day.bytes += bytes ?? 0;
    },
    days: () => counted,
  };
}

/** The last one that begins no later; -1: none does. */
function indexOf(days: readonly { readonly from: number }[], moment: number): number {
  let [low, high] = [0, days.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((days[middle]?.from ?? 0) <= moment) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Without the day that `from` lies in the middle of, where there are others. */
function daysIn(
  { from, to }: Interval,
  timeZone: string,
): { readonly day: string; readonly from: number; readonly whole: boolean }[] {
  const dayOf = calendarDay(timeZone);
  const days: { day: string; from: number }[] = [];
  let before = dayOf(new Date(from - 1));
  const begunBefore = before === dayOf(new Date(from));
  if (begunBefore) days.push({ day: before, from });
  for (let moment = from; moment < to; moment += STEP_MS - (moment % STEP_MS)) {
    const day = dayOf(new Date(moment));
    if (day !== before) days.push({ day, from: moment });
    before = day;
  }
  const shown = begunBefore && days.length > 2 ? days.slice(1) : days;
  const endsWhole = dayOf(new Date(to)) !== before;
  return shown.map((day, index) => ({
    ...day,
    whole: (index > 0 || shown !== days || !begunBefore) && (index < shown.length - 1 || endsWhole),
  }));
}

/** `2026-11-23`, by the calendar of a zone. */
export function calendarDay(timeZone: string): (time: Date) => string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return (time) => parts.format(time);
}
