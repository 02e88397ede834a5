import type { SlotJob } from "@trivault/queue";
import { nextSlot, type Schedule } from "@trivault/schedule";
import type { Slot } from "./schedule-queue.ts";

/** A slot later than this, or than its period where that is shorter, is reported, although it is run all the same. */
const LATE_MS = 600_000;
const MOST_COUNTED = 200;

/** The slots of a database between two others, as many as are worth counting. */
export function slotsBetween(database: string, schedule: Schedule, last: Date, slot: Date): Slot[] {
  const between: Slot[] = [];
  for (let at = nextSlot(schedule, last); at < slot && between.length < MOST_COUNTED; at = nextSlot(schedule, at)) {
    between.push({ database, slot: at });
  }
  return between;
}

/** What is to be reported about a slot that is enqueued at `now` after `missed` others were not run; nothing where it is in time. */
export function missedBefore(schedule: Schedule, slot: Date, missed: number, now: number): SlotJob["missed"] {
  const late = now - slot.getTime();
  const period = nextSlot(schedule, slot).getTime() - slot.getTime();
  if (missed === 0 && late <= Math.min(LATE_MS, period)) return undefined;
  return { slots: missed, lateSeconds: Math.max(0, Math.round(late / 1000)) };
}
