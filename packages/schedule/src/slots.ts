import { DAY_MS, HOUR_MS } from "@trivault/core";
import { createHash } from "node:crypto";
import { type CronLine, cronLine } from "./cron-line.ts";
import type { Schedule } from "./types.ts";
import { offsetAt, offsetsAround } from "./wall-clock.ts";

/**
 * A slot is an instant at which a schedule says: now. How wall times become slots where the clocks change, as cron-parser
 * (5.10) and with it BullMQ leave some out and repeat others, above all where they change by half an hour:
 *
 * - put forward: a wall time that does not exist comes as much later as the clocks were put forward. Where a slot is there
 *   already, the two are one: `30 2 * * *` runs at 03:30, `0 * * * *` on 23 hours.
 * - put back: of a wall time that comes twice the first counts; but a line that runs every hour follows real time and takes
 *   both, so `0 * * * *` runs on 25 hours.
 */
export function latestSlot(schedule: Schedule, now: Date): Date {
  const { timeZone } = schedule;
  const line = cronLine(schedule.cron);
  const at = now.getTime();
  // The latest that the wall clocks have shown until now; cron lines know whole seconds, and `before` is strict.
  const shown = at + Math.max(offsetAt(timeZone, at), offsetAt(timeZone, at - DAY_MS));
  let latest = Number.NEGATIVE_INFINITY;
  let horizon = Number.NEGATIVE_INFINITY;
  for (let wall = line.before(shown + 1000); wall >= horizon; wall = line.before(wall)) {
    const before = latest;
    for (const slot of slotsOf(line, timeZone, wall)) if (slot <= at) latest = Math.max(latest, slot);
    if (before === Number.NEGATIVE_INFINITY && latest > before) horizon = wall - shiftNear(timeZone, wall);
  }
  return new Date(latest);
}

/** The first slot that is later than `after`. */
export function nextSlot(schedule: Schedule, after: Date): Date {
  const { timeZone } = schedule;
  const line = cronLine(schedule.cron);
  const at = after.getTime();
  const shown = at + Math.min(...[-DAY_MS, 0, DAY_MS].map((away) => offsetAt(timeZone, at + away)));
  let next = Number.POSITIVE_INFINITY;
  let horizon = Number.POSITIVE_INFINITY;
  for (let wall = line.after(shown - 1000); wall <= horizon; wall = line.after(wall)) {
    const before = next;
    for (const slot of slotsOf(line, timeZone, wall)) if (slot > at) next = Math.min(next, slot);
    if (before === Number.POSITIVE_INFINITY && next < before) horizon = wall + shiftNear(timeZone, wall);
  }
  return new Date(next);
}

/** No two slots that follow each other within a year or so are further apart than this. */
export function longestGapSeconds(schedule: Schedule, from: Date): number {
  const line = cronLine(schedule.cron);
  let shift = 0;
  for (let day = 0; day < 400; day++) {
    const at = from.getTime() + day * DAY_MS;
    shift = Math.max(shift, Math.abs(offsetAt(schedule.timeZone, at + DAY_MS) - offsetAt(schedule.timeZone, at)));
  }
  return line.longestGap() + (line.everyHour ? shift % HOUR_MS : shift) / 1000;
}

/**
 * By how much a database starts after its slots, so that a hundred with the same cron line do not start at once: always
 * the same for a name, whole seconds, and less than `limit` and than a quarter of the way to the next slot.
 */
export function spreadSeconds(name: string, schedule: Schedule, limit: number): number {
  const width = Math.floor(Math.min(limit, cronLine(schedule.cron).shortestGap / 4));
  if (width < 1) return 0;
  return createHash("sha256").update(name).digest().readUInt32BE() % width;
}

/** The instants that a wall time means: one, or both of a wall time that comes twice where the line runs every hour. */
function slotsOf(line: CronLine, timeZone: string, wall: number): number[] {
  const [before, after] = offsetsAround(timeZone, wall);
  const first = wall - before;
  const exists = (slot: number) => slot + offsetAt(timeZone, slot) === wall;
  // Before the change, or in what was left out: then the old offset makes it as much later as the clocks were put forward.
  if (before === after) return [first];
  const second = wall - after;
  if (!exists(second)) return [first];
  if (!exists(first)) return [second];
  return line.everyHour ? [first, second] : [first];
}

/** By how much the clocks change near a wall time: its slot may change places with those that lie so near. */
function shiftNear(timeZone: string, wall: number): number {
  const [before, after] = offsetsAround(timeZone, wall);
  return Math.abs(after - before);
}
