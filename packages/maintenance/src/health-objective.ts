import type { DatabaseConfig } from "@trivault/core";
import { longestGapSeconds, nextSlot, spreadSeconds } from "@trivault/schedule";

const MOST_GRACE_SECONDS = 2 * 3600;

/**
 * How old the newest copy may be: as configured, else the longest pause in the schedule and as long again, at most two
 * hours, for making and copying it. Hourly means 2 h, daily 26 h. Null where nothing says when backups are made.
 */
export function objectiveOf(database: Pick<DatabaseConfig, "objectiveSeconds" | "schedule">, now: Date): number | null {
  const { objectiveSeconds, schedule } = database;
  if (objectiveSeconds !== null || schedule === null) return objectiveSeconds;
  const gap = longestGapSeconds(schedule, now);
  return gap + Math.min(gap, MOST_GRACE_SECONDS);
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
