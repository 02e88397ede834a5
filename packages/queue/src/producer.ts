import { TrivaultError } from "@trivault/core";
import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { once } from "./idempotency.ts";
import {
  type CopyJob,
  copyJobId,
  type CopyQueue,
  type DumpJob,
  type EncryptJob,
  type RestoreJob,
  type VerifyJob,
} from "./jobs.ts";
import type { Queues } from "./queues.ts";
import { isConnectionError, within } from "./redis.ts";

const ANSWER_MS = 5000;

export interface BackupRequest {
  readonly database: string;
  /** `user:<login>@<host>`, `token:<name>`. */
  readonly actor: string;
  /** The same key within a day answers with the same run, instead of making another backup; KEY_REUSED for another database. */
  readonly idempotencyKey?: string | undefined;
}

export interface RequestedRun {
  readonly runId: string;
  /** False where the idempotency key was seen before. */
  readonly created: boolean;
}

/** Enqueues a backup, before all that the schedule asked for. Throws QUEUE_UNREACHABLE soon, where Redis does not answer. */
export function requestBackup(queues: Queues, redis: Redis, request: BackupRequest): Promise<RequestedRun> {
  const { database, actor, idempotencyKey: key } = request;
  return failingFast(async () => {
    const { answer, first } = await once(
      redis,
      { scope: `backup ${actor}`, key, content: { database } },
      async (runId) => {
        const data: DumpJob = { database, actor };
        await addOnce(queues.dump, "dump", runId, data);
        return runId;
      },
    );
    return { runId: answer, created: first };
  });
}

export function startEncrypt(queues: Queues, job: EncryptJob): Promise<void> {
  return addOrRestart(queues.encrypt, "encrypt", job.backupId, job);
}

export function startCopy(queues: Queues, queue: CopyQueue, job: CopyJob): Promise<void> {
  return addOrRestart(queues[queue], queue, copyJobId(job.backupId, job.to), job);
}

/** Reads a copy whole; asked for again while it waits or runs, it is the same job. Returns the job's id. */
export async function startVerify(queues: Queues, job: VerifyJob): Promise<string> {
  const id = copyJobId(job.backupId, job.tier);
  await addOrRestart(queues.verify, "verify", id, job);
  return id;
}

/** `seed` makes it one restore, however often it is asked for. Returns the job's id. */
export async function startRestore(queues: Queues, job: RestoreJob, seed: string): Promise<string> {
  const id = `${job.backupId}.${seed.slice(-8)}`;
  await addOnce(queues.restore, "restore", id, job);
  return id;
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

/**
 * Ends soon (or when it ends, where `ms` is null), and turns a Redis that is away into QUEUE_UNREACHABLE; whatever else goes
 * wrong is passed on as it is.
 */
export async function failingFast<T>(work: () => Promise<T>, ms: number | null = ANSWER_MS): Promise<T> {
  try {
    return await (ms === null ? work() : within(ms, work()));
  } catch (cause) {
    if (!isConnectionError(cause)) throw cause;
    const message = "Redis does not answer, so it is not known whether anything was enqueued; try again when it is up.";
    throw new TrivaultError("QUEUE_UNREACHABLE", message, { cause });
  }
}
