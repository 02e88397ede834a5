import type { ViewOf } from "@trivault/core/view-schema";
import type { HealthReport } from "@trivault/maintenance";
import type {
  databasePage,
  missedRun,
  restoration,
  retentionRow,
  run,
  tierPage,
  tierRow,
  tierSample,
  verificationRow,
} from "./view-schema.ts";

/** What an operator looks at, as plain JSON: times are ISO 8601 in UTC, durations seconds, sizes bytes. */

/** How one backup came about, from the audit log. */
export type Run = ViewOf<typeof run>;
export type RunStage = Run["stages"][number];
/** A slot that nothing was run for. */
export type MissedRun = ViewOf<typeof missedRun>;
export type DatabasePage = ViewOf<typeof databasePage>;
export type Restoration = ViewOf<typeof restoration>;
export type RetentionRow = ViewOf<typeof retentionRow>;
export type TierPage = ViewOf<typeof tierPage>;
export type TierRow = ViewOf<typeof tierRow>;
export type TierSample = ViewOf<typeof tierSample>;
export type VerificationRow = ViewOf<typeof verificationRow>;

/** The first page: all databases, all tiers. No answer of the API has it whole. */
export interface Overview {
  /** When it was computed. */
  readonly at: string;
  readonly health: HealthReport;
  /** In the order of `health.databases`. */
  readonly databases: readonly DatabaseRow[];
  readonly tiers: readonly TierRow[];
}

export interface DatabaseRow {
  readonly name: string;
  /** The last 30 runs, oldest first. */
  readonly strip: readonly Pick<Run, "backupId" | "startedAt" | "state" | "seconds" | "bytes" | "rows">[];
  /** The runs of the last 30 days that have ended. */
  readonly runs: number;
  readonly runsOk: number;
}
