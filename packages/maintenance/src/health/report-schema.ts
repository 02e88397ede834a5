import { count, listOf, time } from "@trivault/core/view-schema";
import { z } from "zod";

/** How well a site is, as plain JSON. The types are those of report.ts; the schemas are loaded by the API alone. */

const databaseTier = z.object({
  tier: z.string(),
  ok: z.boolean(),
  newestBackupId: z.string().nullable().describe("The newest of the complete and trusted copies there."),
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
    /** How the last run's dump ended; null: nobody remembers one. */
    lastRun: z.object({ outcome: z.enum(["ok", "failed", "refused"]), at: time }).nullable(),
    tiers: listOf(databaseTier),
    /** One sentence, where it is not healthy. */
    problem: z.string().nullable(),
  })
  .meta({ id: "DatabaseHealth" });

export const tierHealth = z
  .object({
    name: z.string(),
    kind: z.enum(["local", "sftp", "s3"]),
    reachable: z.boolean().describe("False: its figures are what was known last."),
    unreachableSince: time.nullable(),
    problem: z.string().nullable(),
    scannedAt: time.nullable(),
    complete: count,
    damaged: count,
    untrusted: count,
    partial: count,
    unknown: count.describe("Could not be read, though the tier can be reached: nothing is known of them."),
    /** Why one of them could not be read. */
    unknownReason: z.string().nullable(),
    bytes: count,
    free: count.nullable(),
    total: count.nullable(),
    overBudget: z.boolean(),
  })
  .meta({ id: "TierHealth" });

/** A database that nobody backs up. `not-configured`: only backups of it are there. */
export const orphan = z
  .object({
    name: z.string(),
    reason: z
      .enum(["gone", "not-configured", "restored-into"])
      .describe(
        "gone: its server holds it no more; until that is acknowledged, the site is not ok. restored-into: left out, as Trivault itself restored into it.",
      ),
    server: z.string().nullable(),
    /** Since when it is gone, or when it was restored into; null: not known. */
    since: time.nullable(),
    acknowledged: z.object({ by: z.string(), at: time, reason: z.string().nullable() }).nullable(),
    backups: count.describe("Complete ones, each counted once."),
    /** The bytes of all its copies on all tiers. */
    bytes: count,
    newestBackupId: z.string().nullable(),
  })
  .meta({ id: "Orphan" });

export const healthReport = z
  .object({
    /** Complete and trusted backups on the local tier. */
    localBackups: count,
    /** Distinct ones on servers, and on further local tiers. */
    remoteBackups: count,
    /** Distinct ones in buckets. */
    cloudBackups: count,
    /** When a copy was last brought to another tier; null: never, as far as anybody remembers. */
    lastSyncTime: time.nullable(),
    /** `failed`: a tier cannot be reached, or a copy that is lacking could not be made. `pending`: copies are on their way. */
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
