import { DAY_MS } from "@trivault/core";

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * What the clocks on the wall of a time zone show at `instant`, as the milliseconds that UTC would have when its clocks
 * show the same: times in this form can be computed with, as they know no daylight saving.
 */
export function wallAt(timeZone: string, instant: number): number {
  const seconds = Math.floor(instant / 1000) * 1000;
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(seconds)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (instant - seconds);
}

/** How far the wall clocks are ahead of UTC. */
export function offsetAt(timeZone: string, instant: number): number {
  return wallAt(timeZone, instant) - instant;
}

/**
 * The offsets before and after a change of the clocks near the wall time, where there is one; else the same one twice. A
 * wall time taken for UTC is at most 14 hours from the instant that it means, so a day each way lies on either side of it.
 */
export function offsetsAround(timeZone: string, wall: number): [before: number, after: number] {
  return [offsetAt(timeZone, wall - DAY_MS), offsetAt(timeZone, wall + DAY_MS)];
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    const number = "numeric";
    format = new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
      timeZone,
      hourCycle: "h23",
      year: number,
      month: number,
      day: number,
      hour: number,
      minute: number,
      second: number,
    });
    formats.set(timeZone, format);
  }
  return format;
}
