import type { CopyState } from "@trivault/core";
import type { DatabaseHealth, HealthReport, Orphan, TierHealth } from "@trivault/maintenance";

/** What an operator looks at, as plain JSON: times are ISO 8601 in UTC, durations seconds, sizes bytes. */

/** How one backup came about, from the record: one for each that was begun, whether or not it came to its end. */
export interface Run {
  readonly backupId: string;
  readonly database: string;
  readonly startedAt: string;
  /** `incomplete`: the backup stands, but a copy of it failed for good or is late. */
  readonly state: "ok" | "incomplete" | "failed" | "running";
  readonly actor: string;
  readonly slot: string | null;
  /** From its beginning to the last thing that happened to it. */
  readonly seconds: number;
  /** Of the backup as it lies on a tier; null before the dump has ended well. */
  readonly bytes: number | null;
  /** Of all its tables, as the dump saw them; null where they were not counted. */
  readonly rows: number | null;
  readonly stages: readonly RunStage[];
  /** Why the last attempt failed, in the operator's words. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

export interface RunStage {
  readonly stage: "dump" | "encrypt" | "copy";
  /** For copies: where to. */
  readonly tier: string | null;
  readonly outcome: "ok" | "failed" | "refused";
  readonly endedAt: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly attempts: number;
}

/** A slot that nothing was run for. */
export interface MissedRun {
  readonly database: string;
  readonly at: string;
  readonly slots: number;
}

/** The first page: all databases, all tiers. */
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
  /** Of the last 30 days, those that have ended. */
  readonly runs: number;
  readonly runsOk: number;
}

export interface TierRow {
  readonly name: string;
  /** What the newest samples say it grows by; null: not known yet. */
  readonly bytesPerDay: number | null;
  /** When it will be full at that rate; null: never, or not known. */
  readonly fullAt: string | null;
  /** How long a small question takes to be answered. */
  readonly latencySeconds: number | null;
  /** Per month; null where no prices are configured. */
  readonly costPerMonth: number | null;
}

export interface DatabasePage {
  readonly at: string;
  readonly health: DatabaseHealth;
  /** Why it is not backed up; null where it is. */
  readonly orphan: Orphan | null;
  /** Of the last 30 days, oldest first. */
  readonly runs: readonly Run[];
  readonly missed: readonly MissedRun[];
  /** Share of the runs of 30 days that ended well; null where there was none. */
  readonly successRate: number | null;
  /** The longest time between two good backups' beginnings in 30 days, the time since the last included. */
  readonly recoveryPointSeconds: number | null;
  /** How long the last restore of it took. */
  readonly recoveryTimeSeconds: number | null;
  readonly restores: readonly Restoration[];
  /** Every backup that lies somewhere, newest first, and why it stays or goes. */
  readonly retention: readonly RetentionRow[];
}

export interface Restoration {
  readonly at: string;
  readonly backupId: string | null;
  readonly outcome: "ok" | "failed" | "refused";
  readonly actor: string;
  readonly seconds: number | null;
  readonly bytes: number | null;
  /** Server and database, without secrets. */
  readonly target: string | null;
  readonly problem: string | null;
}

export interface RetentionRow {
  readonly backupId: string;
  readonly startedAt: string;
  readonly bytes: number;
  /** The reason of a keep mark. */
  readonly keep: string | null;
  readonly tiers: readonly {
    readonly tier: string;
    readonly state: CopyState | "absent";
    readonly action: "keep" | "delete" | "copy" | "none";
    /** As the plan tells them: `daily 2026-11-20`. */
    readonly reasons: readonly string[];
    /** Until when a deletion waits, as the rules changed; null: for nothing. */
    readonly heldUntil: string | null;
  }[];
}

export interface TierPage {
  readonly at: string;
  readonly health: TierHealth;
  readonly row: TierRow;
  readonly samples: readonly TierSample[];
  /** Per storage class, and per month where prices are configured. */
  readonly costs: readonly {
    readonly storageClass: string;
    readonly bytes: number;
    readonly perMonth: number | null;
  }[];
  readonly databases: readonly { readonly database: string; readonly backups: number; readonly bytes: number }[];
  readonly verifications: readonly VerificationRow[];
}

export interface TierSample {
  readonly at: string;
  readonly bytes: number;
  readonly copies: number;
  readonly free: number | null;
  readonly total: number | null;
  readonly latencySeconds: number | null;
}

export interface VerificationRow {
  readonly at: string;
  readonly database: string | null;
  readonly backupId: string | null;
  readonly tier: string | null;
  readonly good: boolean;
  readonly problem: string | null;
}
