import type { SlotJob } from "@trivault/queue";
import { nextSlot, type Schedule } from "@trivault/schedule";

/** A slot later than this, or than its period where that is shorter, is told, although it is run all the same. */
const LATE_MS = 600_000;
const MOST_COUNTED = 1000;

/**
 * What is to be told of a slot that is enqueued at `now`, where the newest one run before it is `last`: how many between the
 * two were missed, and how late it is. Nothing where all is well, or where none was ever run.
 */
export function missedBefore(schedule: Schedule, slot: Date, last: Date | null, now: number): SlotJob["missed"] {
  if (last === null) return undefined;
  let slots = 0;
  for (let at = nextSlot(schedule, last); at < slot && slots < MOST_COUNTED; at = nextSlot(schedule, at)) slots++;
  const late = now - slot.getTime();
  const period = nextSlot(schedule, slot).getTime() - slot.getTime();
  if (slots === 0 && late <= Math.min(LATE_MS, period)) return undefined;
  return { slots, lateSeconds: Math.max(0, Math.round(late / 1000)) };
}
