import { COPY_STATES } from "@trivault/core";
import { z } from "zod";
import { databaseHealth, orphan, tierHealth } from "./health-schema.ts";
import { bytes, count, listOf, nextCursor, seconds, time } from "./schema-parts.ts";

/** The views of packages/monitor, as the API gives them. */

const outcome = z.enum(["ok", "failed", "refused"]);

export const run = z
  .object({
    backupId: z.string(),
    database: z.string(),
    startedAt: time,
    state: z
      .enum(["ok", "incomplete", "failed", "running"])
      .describe("incomplete: the backup stands, but a copy of it failed for good or is late."),
    actor: z.string(),
    slot: z.string().nullable(),
    seconds,
    bytes: bytes.nullable(),
    rows: count.nullable().describe("In all tables, as the dump saw them; null where they were not counted."),
    stages: listOf(
      z.object({
        stage: z.enum(["dump", "encrypt", "copy"]),
        tier: z.string().nullable(),
        outcome,
        endedAt: time,
        seconds,
        bytes,
        attempts: count,
      }),
    ),
    problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: "Run" });
export const runPage = z.object({ runs: listOf(run), total: count, nextCursor }).meta({ id: "RunPage" });

const restoration = z
  .object({
    at: time,
    backupId: z.string().nullable(),
    outcome,
    actor: z.string(),
    seconds: seconds.nullable(),
    bytes: bytes.nullable(),
    target: z.string().nullable(),
    problem: z.string().nullable(),
  })
  .meta({ id: "Restoration" });

export const configuredDatabase = z
  .object({
    schedule: z.string().nullable().describe("Cron line; null: only on demand."),
    timeZone: z.string(),
    tiers: listOf(z.string()),
    retention: z.record(z.string(), z.string()).describe("By tier, as the configuration would say it; off: all stays."),
    priority: count,
  })
  .meta({ id: "DatabaseSettings" });

export const databaseList = z
  .object({
    at: time,
    databases: listOf(
      z.object({
        ...databaseHealth.shape,
        settings: configuredDatabase.nullable().describe("Null: it is not configured any more."),
        runs: count.describe("Of the last 30 days."),
        runsOk: count,
        links: z.object({ self: z.string(), runs: z.string(), backups: z.string() }),
      }),
    ),
  })
  .meta({ id: "DatabaseList" });

export const databaseDetails = z
  .object({
    at: time,
    health: databaseHealth,
    orphan: orphan.nullable().describe("Why it is not backed up; null where it is."),
    settings: configuredDatabase.nullable(),
    successRate: z.number().min(0).max(1).nullable(),
    recoveryPointSeconds: seconds.nullable().describe("The longest time between two good backups in 30 days."),
    recoveryTimeSeconds: seconds.nullable().describe("How long the last restore of it took."),
    missed: listOf(z.object({ database: z.string(), at: time, slots: count })),
    restores: listOf(restoration),
  })
  .meta({ id: "DatabaseDetails" });

export const retentionPage = z
  .object({
    backups: listOf(
      z.object({
        backupId: z.string(),
        startedAt: time,
        bytes,
        keep: z.string().nullable(),
        tiers: listOf(
          z.object({
            tier: z.string(),
            state: z.enum([...COPY_STATES, "absent"]),
            action: z.enum(["keep", "delete", "copy", "none"]),
            reasons: listOf(z.string()),
            heldUntil: time.nullable().describe("Until when a deletion waits, as the rules changed."),
          }),
        ),
      }),
    ),
    total: count,
    nextCursor,
  })
  .meta({ id: "RetentionPage" });

const tierRow = z
  .object({
    name: z.string(),
    bytesPerDay: z.number().nullable(),
    fullAt: time.nullable().describe("When it will be full at that rate."),
    latencySeconds: seconds.nullable(),
    costPerMonth: z.number().nullable(),
  })
  .meta({ id: "TierTrend" });

export const tierList = z
  .object({
    at: time,
    tiers: listOf(
      z.object({
        ...tierHealth.shape,
        place: z.string(),
        trend: tierRow.nullable(),
        links: z.object({ self: z.string(), cleanup: z.string() }),
      }),
    ),
  })
  .meta({ id: "TierList" });

export const tierDetails = z
  .object({
    at: time,
    health: tierHealth,
    place: z.string(),
    row: tierRow,
    samples: listOf(
      z.object({
        at: time,
        bytes,
        copies: count,
        free: bytes.nullable(),
        total: bytes.nullable(),
        latencySeconds: seconds.nullable(),
      }),
    ),
    costs: listOf(z.object({ storageClass: z.string(), bytes, perMonth: z.number().nullable() })),
    databases: listOf(z.object({ database: z.string(), backups: count, bytes })),
    verifications: listOf(
      z.object({
        at: time,
        database: z.string().nullable(),
        backupId: z.string().nullable(),
        tier: z.string().nullable(),
        good: z.boolean(),
        problem: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "TierDetails" });
