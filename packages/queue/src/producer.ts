import { isDeepStrictEqual } from "node:util";
import { directoryOf, TrivaultError, within } from "@trivault/core";
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
import { isConnectionError } from "./redis.ts";
import { countedJobs, exclusively, inTurn, locked, requireRoom } from "./waiting.ts";

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
  /** False where the idempotency key was seen before, or the run is another's. */
  readonly created: boolean;
  /** Somebody has asked for a backup of this database already, and that one has not begun: it serves both. */
  readonly joined: boolean;
}

/**
 * Enqueues a backup, before all that the schedule asked for. A request for a database of which one waits joins that one. Throws
 * QUEUE_UNREACHABLE soon, where Redis does not answer, and TOO_MANY_REQUESTS.
 */
export function requestBackup(queues: Queues, redis: Redis, request: BackupRequest): Promise<RequestedRun> {
  const { database, actor, idempotencyKey: key } = request;
  return failingFast(async () => {
    const { answer, first } = await once(redis, { scope: `backup ${actor}`, key, content: { database } }, (runId) =>
      addBackup(queues.dump, redis, runId, { database, actor }),
    );
    // An answer that an earlier version kept is the id alone.
    const { runId, joined } = typeof answer === "string" ? { runId: answer, joined: false } : answer;
    return { runId, created: first && !joined, joined };
  });
}

/** BullMQ keeps the id of the one that waits; its worker takes that away when it begins (`JobHandle.begun`). */
async function addBackup(
  queue: Queue,
  redis: Redis,
  runId: string,
  data: DumpJob,
): Promise<{ runId: string; joined: boolean }> {
  const waiting = directoryOf(data.database);
  const add = async () => {
    const { id = runId } = await queue.add("dump", data, { jobId: runId, deduplication: { id: waiting } });
    return { runId: id, joined: id !== runId };
  };
  return inTurn("dump", async () => {
    // To join needs no room.
    if ((await queue.getDeduplicationJobId(waiting)) !== null) return add();
    return locked(redis, "dump", async () => {
      await requireRoom(queue, "dump", data.actor);
      return add();
    });
  });
}

export function startEncrypt(queues: Queues, job: EncryptJob): Promise<void> {
  return addOrRestart(queues.encrypt, "encrypt", job.backupId, job);
}

/** Returns the job's id. */
export async function startCopy(queues: Queues, queue: CopyQueue, job: CopyJob): Promise<string> {
  const id = copyJobId(job.backupId, job.to);
  await addOrRestart(queues[queue], queue, id, job);
  return id;
}

/** Reads a copy whole; asked for again while it waits or runs, it is the same job. Returns the job's id. */
export function startVerify(queues: Queues, redis: Redis, job: VerifyJob): Promise<string> {
  const id = copyJobId(job.backupId, job.tier);
  return exclusively(redis, "verify", async () => {
    const known = await queues.verify.getJob(id);
    if (!(await known?.isWaiting())) await requireRoom(queues.verify, "verify", job.actor);
    await addOrRestart(queues.verify, "verify", id, job);
    return id;
  });
}

export interface StartedRestore {
  readonly jobId: string;
  /** The very same restore was asked for already, and has not ended. */
  readonly joined: boolean;
}

/**
 * `seed` makes it one restore, however often it is asked for. The same one asked for again while it has not ended is joined;
 * throws EXISTS where another goes into that database, and TOO_MANY_REQUESTS.
 */
export function startRestore(
  queues: Queues,
  redis: Redis,
  { actor, ...job }: Omit<RestoreJob, "askedAt">,
  seed: string,
): Promise<StartedRestore> {
  const jobId = `${job.backupId}.${seed.slice(-8)}`;
  return exclusively(redis, "restore", async () => {
    const underway = await countedJobs(queues.restore, "restore");
    const known = underway.find(({ id }) => id === jobId);
    const rival = known ? undefined : underway.find(({ data }) => isSamePlace(data, job));
    if (rival !== undefined) {
      const { actor: _other, proof: _proof, askedAt: _at, ...its } = rival.data;
      if (isDeepStrictEqual(its, job)) return { jobId: rival.id ?? "", joined: true };
      throw new TrivaultError(
        "EXISTS",
        `Another restore into ${job.target} is under way (job ${rival.id}). Choose another name, or wait until it has ended.`,
      );
    }
    if (!known) await requireRoom(queues.restore, "restore", actor);
    await queues.restore.add("restore", { ...job, actor, askedAt: new Date().toISOString() }, { jobId });
    return { jobId, joined: false };
  });
}

/** Where the source's server is the target, its database says which server that is. */
function isSamePlace(
  its: Partial<RestoreJob>,
  { to, target, database }: Omit<RestoreJob, "actor" | "askedAt">,
): boolean {
  if (its.target !== target || its.to !== to) return false;
  return to === "restore-server" || its.database === database;
}

/**
 * BullMQ ignores an id that it knows. A job that ended (completed or failed) is forgotten first, so that it runs again; one
 * that waits for its next attempt makes it now: whoever asks has reason to think that what failed is over.
 */
async function addOrRestart(queue: Queue, name: string, jobId: string, data: object): Promise<void> {
  const known = await queue.getJob(jobId);
  if (known && ((await known.isFailed()) || (await known.isCompleted()))) await known.remove();
  await queue.add(name, data, { jobId });
  if (known === undefined || !(await known.isDelayed())) return;
  await known.promote().catch(async (error: unknown) => {
    if (await known.isDelayed()) throw error; // else it has begun by itself meanwhile
  });
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
