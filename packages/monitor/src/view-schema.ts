import { COPY_STATES } from "@trivault/core";
import { bytes, count, listOf, seconds, time } from "@trivault/core/view-schema";
import { databaseHealth, orphan, tierHealth } from "@trivault/maintenance/health/report-schema";
import { z } from "zod";

/** What an operator looks at, as plain JSON. The types are those of views.ts; the schemas are loaded by the API alone. */

const outcome = z.enum(["ok", "failed", "refused"]);

const runStage = z.object({
  stage: z.enum(["dump", "encrypt", "copy"]),
  /** For copies: where to. */
  tier: z.string().nullable(),
  outcome,
  endedAt: time,
  seconds,
  bytes,
  attempts: count,
});

/** How one backup came about, from the audit log: one for each that was begun, whether or not it came to its end. */
export const run = z
  .object({
    backupId: z.string(),
    database: z.string(),
    startedAt: time,
    state: z
      .enum(["ok", "incomplete", "failed", "running"])
      .describe("incomplete: the backup is there, but a copy of it failed for good or is late."),
    actor: z.string(),
    slot: z.string().nullable(),
    /** From its beginning to the last thing that happened to it. */
    seconds,
    /** The size of the backup on a tier; null before the dump has succeeded. */
    bytes: bytes.nullable(),
    rows: count.nullable().describe("In all tables, as the dump saw them; null where they were not counted."),
    stages: listOf(runStage),
    /** Why the last attempt failed, in the operator's words. */
    problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: "Run" });

/** A slot that nothing was run for. */
export const missedRun = z.object({ database: z.string(), at: time, slots: count });

export const restoration = z
  .object({
    at: time,
    backupId: z.string().nullable(),
    outcome,
    actor: z.string(),
    seconds: seconds.nullable(),
    bytes: bytes.nullable(),
    /** Server and database, without secrets. */
    target: z.string().nullable(),
    problem: z.string().nullable(),
  })
  .meta({ id: "Restoration" });

export const retentionRow = z.object({
  backupId: z.string(),
  startedAt: time,
  bytes,
  /** The reason of a keep mark. */
  keep: z.string().nullable(),
  tiers: listOf(
    z.object({
      tier: z.string(),
      state: z.enum([...COPY_STATES, "absent"]),
      action: z.enum(["keep", "delete", "copy", "none"]),
      /** As the plan gives them: `daily 2026-11-20`. */
      reasons: listOf(z.string()),
      heldUntil: time.nullable().describe("Until when a deletion waits, as the rules changed."),
    }),
  ),
});

export const databasePage = z.object({
  at: time,
  health: databaseHealth,
  orphan: orphan.nullable().describe("Why it is not backed up; null where it is."),
  /** The runs of the last 30 days, oldest first. */
  runs: listOf(run),
  missed: listOf(missedRun),
  /** Share of the runs of 30 days that succeeded; null where there was none. */
  successRate: z.number().min(0).max(1).nullable(),
  recoveryPointSeconds: seconds.nullable().describe("The longest time between two good backups in 30 days."),
  recoveryTimeSeconds: seconds.nullable().describe("How long the last restore of it took."),
  restores: listOf(restoration),
  /** Every backup on any tier, newest first, and why it stays or goes. */
  retention: listOf(retentionRow),
});

export const tierRow = z
  .object({
    name: z.string(),
    /** What the newest samples say it grows by; null: not known yet. */
    bytesPerDay: z.number().nullable(),
    fullAt: time.nullable().describe("When it will be full at that rate."),
    /** How long the answer to a small request takes. */
    latencySeconds: seconds.nullable(),
    /** Per month; null where no prices are configured. */
    costPerMonth: z.number().nullable(),
  })
  .meta({ id: "TierTrend" });

export const tierSample = z.object({
  at: time,
  bytes,
  copies: count,
  free: bytes.nullable(),
  total: bytes.nullable(),
  latencySeconds: seconds.nullable(),
});

export const verificationRow = z.object({
  at: time,
  database: z.string().nullable(),
  backupId: z.string().nullable(),
  tier: z.string().nullable(),
  good: z.boolean(),
  problem: z.string().nullable(),
});

export const tierPage = z.object({
  at: time,
  health: tierHealth,
  row: tierRow,
  samples: listOf(tierSample),
  /** Per storage class, and per month where prices are configured. */
  costs: listOf(z.object({ storageClass: z.string(), bytes, perMonth: z.number().nullable() })),
  databases: listOf(z.object({ database: z.string(), backups: count, bytes })),
  verifications: listOf(verificationRow),
});
