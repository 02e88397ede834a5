import { directoryOf, isBackupId, QUEUES } from "@trivault/core";
import { z } from "zod";

/** What the API takes and gives: validation, types and the OpenAPI document all come from here. */

const databaseName = z
  .string()
  .min(1)
  .refine(isUsableName, "is too long for a database name")
  .meta({ examples: ["shop"] });
const backupId = z
  .string()
  .refine(isBackupId, "is not a backup id, such as 20261123t020000z-7f3k9xq2")
  .meta({ examples: ["20261123t020000z-7f3k9xq2"] });
const time = z.iso.datetime();
const bytes = z.int().nonnegative();

export const createBackupBody = z.strictObject({ database: databaseName });
/** Loose, as what a schema leaves out is gone from `request.headers`. */
export const createBackupHeaders = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(/^[!-~]{1,255}$/, "takes 1 to 255 visible ASCII characters")
    .optional()
    .describe("Within a day the same key for the same database answers with the same run, and makes no other backup."),
});
export const listBackupsQuery = z.strictObject({
  database: databaseName.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  fresh: z.stringbool({ truthy: ["true"], falsy: ["false"] }).default(false),
});
export const backupParams = z.strictObject({ id: backupId });

const links = z.object({ self: z.string(), queues: z.string().describe("Bull Board, for looking at the jobs") });

const runState = z
  .enum(["queued", "running", "completed", "incomplete", "failed", "unknown"])
  .describe(
    "completed: a complete copy on every tier. incomplete: the backup stands, but not on every tier. failed: there is no backup. unknown: no complete copy yet, and the queue cannot tell whether one is being made.",
  );
export type RunState = z.infer<typeof runState>;

export const requestedBackup = z
  .object({ id: z.string(), database: z.string(), status: runState, links })
  .meta({ id: "RequestedBackup" });

const copy = z
  .object({
    tier: z.string(),
    complete: z.boolean().describe("It has its manifest, which is written last."),
    state: z
      .enum(["complete", "damaged", "untrusted", "partial"])
      .describe("damaged: objects are missing or wrong. untrusted: no key known here signed its manifest."),
    bytes,
  })
  .meta({ id: "Copy" });

const unreachable = z
  .array(z.object({ tier: z.string(), reason: z.string() }))
  .describe("Tiers that could not be asked: what lies there is not known, which is not the same as nothing.");

const stage = z
  .object({
    stage: z.enum(QUEUES),
    tier: z.string().nullable().describe("For copies: where to."),
    state: z.enum(["waiting", "active", "retrying", "completed", "failed"]),
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
        .object({ id: z.string(), database: z.string(), startedAt: time, bytes, copies: z.array(copy), links })
        .meta({ id: "Backup" }),
    ),
    total: bytes.describe("How many there are; `backups` holds the newest of them."),
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
    status: runState,
    queue: z
      .enum(["known", "forgotten", "unreachable"])
      .describe("Unless known, stages is empty and all else is read from the tiers alone."),
    note: z.string().nullable(),
    stages: z.array(stage),
    copies: z.array(copy),
    unreachable,
    links,
  })
  .meta({ id: "BackupDetails" });

export const health = z.object({ status: z.enum(["ok", "unavailable"]) }).meta({ id: "Health" });

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe("A stable name to match on, such as NOT_FOUND or QUEUE_UNREACHABLE."),
    requestId: z.string(),
  })
  .meta({ id: "Problem" });
const problemAnswer = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problem } },
});
/** Every route of the API may answer these. */
export const problems = {
  "4xx": problemAnswer("The request cannot be served; it has to change."),
  "5xx": problemAnswer("The request could not be served; 503 may pass."),
};

function isUsableName(name: string): boolean {
  try {
    return directoryOf(name) !== "";
  } catch {
    return false; // directoryOf throws for names that no tier can hold
  }
}
