import { z } from "zod";
import { count, listOf, time } from "./schema-parts.ts";

const databaseTier = z.object({
  tier: z.string(),
  ok: z.boolean(),
  newestBackupId: z.string().nullable().describe("Of the complete and trusted copies there."),
  ageSeconds: count.nullable(),
  backups: count,
  bytes: count,
  unknown: count.describe("Copies that are there and could not be read."),
  lacking: count.nullable().describe("Copies that shall be there and are not; null: the tier could not be looked at."),
});

export const databaseHealth = z
  .object({
    name: z.string(),
    ok: z.boolean(),
    objectiveSeconds: z
      .number()
      .nonnegative()
      .nullable()
      .describe("How old the newest good copy on each tier may be; null: any will do."),
    nextRun: time.nullable(),
    lastRun: z.object({ outcome: z.enum(["ok", "failed", "refused"]), at: time }).nullable(),
    tiers: listOf(databaseTier),
    problem: z.string().nullable(),
  })
  .meta({ id: "DatabaseHealth" });

export const tierHealth = z
  .object({
    name: z.string(),
    kind: z.enum(["local", "sftp", "s3"]),
    reachable: z.boolean().describe("False: what is told of it is what was known last."),
    unreachableSince: time.nullable(),
    problem: z.string().nullable(),
    scannedAt: time.nullable(),
    complete: count,
    damaged: count,
    untrusted: count,
    partial: count,
    unknown: count.describe("Could not be read, though the tier can be reached: nothing is known of them."),
    unknownReason: z.string().nullable(),
    bytes: count,
    free: count.nullable(),
    total: count.nullable(),
    overBudget: z.boolean(),
  })
  .meta({ id: "TierHealth" });

export const orphan = z
  .object({
    name: z.string(),
    reason: z
      .enum(["gone", "not-configured", "restored-into"])
      .describe(
        "gone: its server holds it no more; until that is acknowledged, the site is not ok. restored-into: left out, as Trivault itself restored into it.",
      ),
    server: z.string().nullable(),
    since: time.nullable(),
    acknowledged: z.object({ by: z.string(), at: time, reason: z.string().nullable() }).nullable(),
    backups: count.describe("Complete ones, each counted once."),
    bytes: count,
    newestBackupId: z.string().nullable(),
  })
  .meta({ id: "Orphan" });

/** `HealthReport` of packages/maintenance, as the API gives it. */
export const backupHealthAnswer = z
  .object({
    localBackups: count,
    remoteBackups: count,
    cloudBackups: count,
    lastSyncTime: time.nullable(),
    syncStatus: z.enum(["success", "failed", "pending"]),
    diskUsage: z.object({ local: z.string(), remote: z.string(), cloud: z.string() }),
    ok: z
      .boolean()
      .describe("Every database meets its objective on each of its tiers, and none has vanished unacknowledged."),
    databases: listOf(databaseHealth),
    tiers: listOf(tierHealth),
    orphans: listOf(orphan).describe("What is not backed up (any more)."),
  })
  .meta({ id: "BackupHealth" });
