import { type DatabaseConfig, HOUR_MS } from "@trivault/core";
import { longestGapSeconds, nextSlot, spreadSeconds } from "@trivault/schedule";

const MOST_GRACE_SECONDS = 2 * 3600;

/**
 * How old the newest copy may be: as configured, else the longest pause in the schedule and as long again, at most two
 * hours, for making and copying it. Hourly means 2 h, daily 26 h. Null where nothing says when backups are made.
 */
export function objectiveOf(database: Pick<DatabaseConfig, "objectiveSeconds" | "schedule">, now: Date): number | null {
  const { objectiveSeconds, schedule } = database;
  if (objectiveSeconds !== null || schedule === null) return objectiveSeconds;
  const gap = longestGap(schedule, now);
  return gap + Math.min(gap, MOST_GRACE_SECONDS);
}

/** The calendar is slow to ask, and its answer is the same for hours: for all databases of one cron line, and all looks. */
const gaps = new Map<string, { readonly at: number; readonly seconds: number }>();
const GAP_HOLDS_MS = HOUR_MS;
const MOST_GAPS = 5000;

function longestGap(schedule: NonNullable<DatabaseConfig["schedule"]>, now: Date): number {
  const name = `${schedule.cron} ${schedule.timeZone}`;
  const known = gaps.get(name);
  if (known && Math.abs(now.getTime() - known.at) < GAP_HOLDS_MS) return known.seconds;
  const seconds = longestGapSeconds(schedule, now);
  if (gaps.size >= MOST_GAPS) gaps.clear();
  gaps.set(name, { at: now.getTime(), seconds });
  return seconds;
}

/** With the seconds by which databases of one cron line are spread. */
export function nextRunOf(
  { name, schedule }: Pick<DatabaseConfig, "name" | "schedule">,
  spread: number,
  now: Date,
): Date | null {
  if (schedule === null) return null;
  const offset = spreadSeconds(name, schedule, spread) * 1000;
  return new Date(nextSlot(schedule, new Date(now.getTime() - offset)).getTime() + offset);
}
