import { latestSlot, type Schedule } from "@trivault/schedule";
import { calendarDay } from "./days.ts";
import type { Interval } from "./intervals.ts";

/** The newest report that the schedule asks for: one a day at most, from the last one to this one. */
export interface DueReport {
  /** By the schedule's calendar; what it is kept under. */
  readonly day: string;
  readonly period: Interval;
}

export function dueReport(schedule: Schedule, now: Date): DueReport {
  const dayOf = calendarDay(schedule.timeZone);
  const slot = firstOfDay(schedule, latestSlot(schedule, now), dayOf);
  const before = firstOfDay(schedule, latestSlot(schedule, justBefore(slot)), dayOf);
  return { day: dayOf(slot), period: { from: before.getTime(), to: slot.getTime() } };
}

/** A line that comes several times a day counts with its first time. */
function firstOfDay(schedule: Schedule, slot: Date, dayOf: (time: Date) => string): Date {
  let first = slot;
  for (;;) {
    const before = latestSlot(schedule, justBefore(first));
    if (dayOf(before) !== dayOf(first)) return first;
    first = before;
  }
}

function justBefore(time: Date): Date {
  return new Date(time.getTime() - 1);
}
