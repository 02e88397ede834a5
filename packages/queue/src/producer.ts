import { createHash } from "node:crypto";
import { newBackupId, TrivaultError } from "@trivault/core";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { type CopyJob, copyJobId, type CopyQueue, type DumpJob, type EncryptJob } from "./jobs.ts";
import { KEY_PREFIX, type Queues } from "./queues.ts";
import { isConnectionError, within } from "./redis.ts";

/** An idempotency key is remembered for so long. */
const REMEMBER_SECONDS = 24 * 3600;
const ANSWER_MS = 5000;

export interface BackupRequest {
  readonly database: string;
  /** `user:<login>@<host>`, `token:<name>`. */
  readonly actor: string;
  /** The same key within a day answers with the same run, instead of making another backup. */
  readonly idempotencyKey?: string | undefined;
}

export interface RequestedRun {
  readonly runId: string;
  /** False where the idempotency key was seen before. */
  readonly created: boolean;
}

/** Enqueues a backup, before all that the schedule asked for. Throws QUEUE_UNREACHABLE soon, where Redis does not answer. */
export function requestBackup(queues: Queues, redis: Redis, request: BackupRequest): Promise<RequestedRun> {
  return failingFast(async () => {
    const runId = newBackupId();
    const data: DumpJob = { database: request.database, actor: request.actor };
    if (request.idempotencyKey !== undefined) {
      const key = idempotencyName(request.database, request.idempotencyKey);
      const first = (await redis.set(key, runId, "EX", REMEMBER_SECONDS, "NX")) !== null;
      const earlier = first ? null : await redis.get(key);
      if (earlier !== null) {
        // Killed between the two writes, an earlier request may have left its key without its job.
        await addOnce(queues.dump, "dump", earlier, data);
        return { runId: earlier, created: false };
      }
    }
    await addOnce(queues.dump, "dump", runId, data);
    return { runId, created: true };
  });
}

export function startEncrypt(queues: Queues, job: EncryptJob): Promise<void> {
  return addOrRestart(queues.encrypt, "encrypt", job.backupId, job);
}

export function startCopy(queues: Queues, queue: CopyQueue, job: CopyJob): Promise<void> {
  return addOrRestart(queues[queue], queue, copyJobId(job.backupId, job.to), job);
}

/** BullMQ ignores an id that it knows, which for a job that waits, runs or ended is what we want here. */
async function addOnce(queue: Queue, name: string, jobId: string, data: object): Promise<void> {
  await queue.add(name, data, { jobId });
}

/** As `addOnce`, but a job that ended (completed or failed) is forgotten first, so that it runs again. */
async function addOrRestart(queue: Queue, name: string, jobId: string, data: object): Promise<void> {
  const known = await queue.getJob(jobId);
  if (known && ((await known.isFailed()) || (await known.isCompleted()))) await known.remove();
  await queue.add(name, data, { jobId });
}

/** Ends soon, and turns a Redis that is away into QUEUE_UNREACHABLE; whatever else goes wrong is passed on as it is. */
export async function failingFast<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await within(ANSWER_MS, work());
  } catch (cause) {
    if (!isConnectionError(cause)) throw cause;
    const message = "Redis does not answer, so it is not known whether anything was enqueued; try again when it is up.";
    throw new TrivaultError("QUEUE_UNREACHABLE", message, { cause });
  }
}

function idempotencyName(database: string, key: string): string {
  return `${KEY_PREFIX}:idempotency:${createHash("sha256")
    .update(JSON.stringify([database, key]))
    .digest("hex")}`;
}
