import { DAY_SECONDS, type QueueName, type TierConfig, TrivaultError } from "@trivault/core";
import { z } from "zod";

/**
 * What jobs carry: names and ids, never a secret, as BullMQ stores it in clear. Validated when a worker takes the job,
 * since Redis is shared with whoever can reach it.
 *
 * Job ids, all file-name safe: a dump job has the id of its *run*, which is the id of the backup that its first attempt
 * makes (a retry makes another: `current`); a scheduled one's is made of its database and slot (slots.ts). Encrypt jobs have the
 * backup's id, copy and verify jobs `<backup id>.<tier>`, restores `<backup id>.<random>`.
 */
const name = z.string().min(1).max(255);
const id = z.string().regex(/^\d{8}t\d{6}z-[0-9a-z]{8}$/);

/** Who asked for it, as in the audit log: `user:…`, `token:…`, `schedule`, `maintenance`. */
const actor = z.string().min(1).max(200);

export const dumpJobSchema = z.object({
  database: name,
  actor,
  /** The backup that the newest attempt makes; set by the worker. */
  current: id.optional(),
  /** The time that the schedule named, where it was the schedule that asked. */
  slot: z.iso.datetime().optional(),
  /** How many slots before this one were missed, and how late this one is: only where it is late. */
  missed: z.object({ slots: z.int().nonnegative(), lateSeconds: z.int().nonnegative() }).optional(),
});
export const encryptJobSchema = z.object({ database: name, backupId: id, actor: actor.optional() });
export const copyJobSchema = z.object({ database: name, backupId: id, from: name, to: name, actor: actor.optional() });
export const maintenanceJobSchema = z.object({ tier: name });
export const verifyJobSchema = z.object({ database: name, backupId: id, tier: name, actor });
/** Where to stands in the worker's configuration: on the source's own server, or on the one of BACKUP_RESTORE_TARGET. */
export const restoreJobSchema = z.object({
  database: name,
  backupId: id,
  /** A tier's name, or `any`. */
  from: name,
  to: z.enum(["source-server", "restore-server"]),
  /** The name of the database to make. */
  target: z.string().refine(isTargetName, "is not a name that a restore may make"),
  noOwner: z.boolean(),
  globals: z.boolean(),
  jobs: z.int().min(1).max(32),
  actor,
  /** When it was enqueued; jobs of an earlier version have none. */
  askedAt: z.iso.datetime().optional(),
});

export type DumpJob = z.infer<typeof dumpJobSchema>;
export type EncryptJob = z.infer<typeof encryptJobSchema>;
export type CopyJob = z.infer<typeof copyJobSchema>;
export type VerifyJob = z.infer<typeof verifyJobSchema>;
export type RestoreJob = z.infer<typeof restoreJobSchema>;
export type CopyQueue = Extract<QueueName, "remote-sync" | "cloud-upload">;
type TierKind = TierConfig["kind"];

/** Both run the same stage: what comes from or goes to a bucket waits in `cloud-upload`, all else in `remote-sync`. */
export function copyQueueOf(from: TierKind, to: TierKind): CopyQueue {
  return from === "s3" || to === "s3" ? "cloud-upload" : "remote-sync";
}

export function copyJobId(backupId: string, tier: string): string {
  return `${backupId}.${tier}`;
}

/**
 * What a restore may call the database that it makes: letters, digits, `_`, `-` and `.`, at most the 63 bytes of a name of
 * PostgreSQL's, and none of those that every server has.
 */
export function isTargetName(text: string): boolean {
  const own = ["postgres", "template0", "template1"].includes(text);
  return !own && Buffer.byteLength(text) <= 63 && /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(text);
}

const backoff = { type: "exponential", delay: 5000, jitter: 0.5 } as const;

/** A copy is tried for about three hours, as servers are down for hours; maintenance then begins it anew. */
export const JOB_OPTIONS = {
  dump: { attempts: 3, backoff },
  encrypt: { attempts: 5, backoff },
  "remote-sync": { attempts: 12, backoff },
  "cloud-upload": { attempts: 12, backoff },
  restore: { attempts: 1 },
  verify: { attempts: 3, backoff },
  maintenance: { attempts: 1 },
} as const satisfies Record<QueueName, object>;

/** Finished jobs are kept for looking at, bounded by age and number; what must survive lies on the tiers. */
export const KEEP_JOBS = {
  removeOnComplete: { age: 7 * DAY_SECONDS, count: 2000 },
  removeOnFail: { age: 30 * DAY_SECONDS, count: 2000 },
} as const;

export function parseJob<T>(schema: z.ZodType<T>, queue: string, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TrivaultError(
    "INPUT_INVALID",
    `The job in the queue ${queue} is not ours: ${issue?.path.join(".")}: ${issue?.message}.`,
    { permanent: true },
  );
}
