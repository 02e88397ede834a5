import type { RecordedEvent } from "@trivault/audit";
import { type Config, DAY_MS, type Language } from "@trivault/core";
import type { Marks } from "@trivault/maintenance";
import type { Overview } from "@trivault/monitor";
import type { CopyHistory } from "./copy-history.ts";
import type { Interval } from "./intervals.ts";
import type { ReportRun } from "./report-runs.ts";
import type { Report } from "./report.ts";

/** All that a report is made of. */
export interface ReportInput {
  readonly config: Pick<Config, "tiers" | "monitoring" | "api">;
  readonly period: Interval;
  /** Only of this database. */
  readonly database: string | null;
  readonly language: Language;
  readonly now: Date;
  readonly recordHead: Report["recordHead"];
  readonly overview: Overview;
  /** The runs of a database that were begun in the period, in the 30 days up to its end, or not long before; oldest first. */
  readonly runsOf: (database: string) => readonly ReportRun[];
  readonly copies: CopyHistory;
  /** The events with one of `EVENT_ACTIONS`, from the same time on, oldest first. */
  readonly events: readonly RecordedEvent[];
  readonly marks: Marks;
  /** Money per month, by database; a database is missing where not every class that it lies in has a price. */
  readonly costs: ReadonlyMap<string, number>;
  readonly alerts: readonly OpenAlert[];
}

/** One that lasts. */
export interface OpenAlert {
  readonly severity: "warning" | "critical";
  readonly title: string;
  readonly since: Date;
}

/** What `ReportInput.events` holds. */
export const EVENT_ACTIONS = [
  "backup.restored",
  "backup.verified",
  "backup.deleted",
  "retention.held",
  "schedule.missed",
] as const;

/** The two objectives are of so long a time. */
export const WINDOW_MS = 30 * DAY_MS;

export function windowOf(period: Interval): Interval {
  return { from: period.to - WINDOW_MS, to: period.to };
}

export function contains({ from, to }: Interval, moment: number): boolean {
  return from <= moment && moment < to;
}
