import { COPY_STATES, QUEUES } from "@trivault/core";
import { RUN_STATES, type RunState, STAGE_STATES } from "@trivault/monitor";
import { z } from "zod";
import { backupId, bytes, cursor, databaseName, flag, listOf, nextCursor, tierName, time } from "./schema-parts.ts";

export { problems } from "./schema-parts.ts";

/** What the routes of backups take and give. */

const copyState = z
  .enum(COPY_STATES)
  .describe(
    "damaged: objects are missing or wrong. untrusted: no key known here signed its manifest. unknown: it is there and could not be read.",
  );

export const createBackupBody = z.strictObject({ database: databaseName }).meta({ examples: [{ database: "shop" }] });
export const listBackupsQuery = z.strictObject({
  database: databaseName.optional(),
  from: time.optional().describe("Begun then or later."),
  to: time.optional().describe("Begun then or before."),
  tier: tierName.optional().describe("Backups that have something on this tier."),
  state: copyState.optional().describe("Backups with a copy (on `tier`, where that is given) in this state."),
  kept: flag.optional().describe("Held by hand, or not."),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: cursor.optional(),
  fresh: flag.prefault("false").describe("Ask every tier itself."),
});
export const backupParams = z.strictObject({ id: backupId });

export const links = z.object({ self: z.string(), queues: z.string().describe("Bull Board, for looking at the jobs") });

/** The words that `status` has had since the first version: what is `ok` elsewhere is `completed` here. */
export const runStatus = z
  .enum(RUN_STATES.map((state) => (state === "ok" ? ("completed" as const) : state)))
  .describe(
    "completed: a complete copy on every tier. incomplete: the backup is there, but not on every tier. failed: there is no backup. unknown: no complete copy yet, and the queue does not know whether one is being made.",
  );
export type PublishedStatus = z.infer<typeof runStatus>;

export function publishedStatus(state: RunState): PublishedStatus {
  return state === "ok" ? "completed" : state;
}

export const requestedBackup = z
  .object({
    id: z.string(),
    database: z.string(),
    joined: z.boolean().describe("A backup of this database waits already, and serves this request as well."),
    status: runStatus,
    links,
  })
  .meta({ id: "RequestedBackup" });

const copy = z
  .object({
    tier: z.string(),
    complete: z.boolean().describe("It has its manifest, which is written last."),
    state: copyState,
    bytes,
  })
  .meta({ id: "Copy" });

const unreachable = listOf(z.object({ tier: z.string(), reason: z.string() })).describe(
  "Tiers that could not be asked: what is there is not known, which is not the same as nothing.",
);

export const stage = z
  .object({
    stage: z.enum(QUEUES),
    tier: z.string().nullable().describe("For copies: where to."),
    state: z.enum(STAGE_STATES),
    attempts: bytes,
    progress: z.object({ bytes, totalBytes: bytes.optional(), segments: bytes }).nullable(),
    problem: z.string().nullable().describe("Why the last attempt failed."),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  })
  .meta({ id: "Stage" });

export const backupList = z
  .object({
    backups: z.array(
      z
        .object({
          id: z.string(),
          database: z.string(),
          startedAt: time,
          bytes,
          copies: listOf(copy),
          keep: z.string().optional().describe("Why it is held by hand; absent where it is not."),
          links,
        })
        .meta({ id: "Backup" }),
    ),
    total: bytes.describe("How many there are; `backups` holds the newest of them."),
    nextCursor,
    unreachable,
  })
  .meta({ id: "BackupList" });

export const backupDetails = z
  .object({
    id: z.string(),
    database: z.string(),
    backupId: z
      .string()
      .nullable()
      .describe("The backup on the tiers. A dump that is tried again makes another one than its run is named after."),
    status: runStatus,
    queue: z
      .enum(["known", "forgotten", "unreachable"])
      .describe("Unless known, stages is empty and all else is read from the tiers alone."),
    note: z.string().nullable(),
    stages: z.array(stage),
    copies: listOf(copy),
    unreachable,
    links,
  })
  .meta({ id: "BackupDetails" });

export const health = z.object({ status: z.enum(["ok", "unavailable"]) }).meta({ id: "Health" });
