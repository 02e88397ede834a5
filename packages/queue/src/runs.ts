import { type Config, findDatabase, type QueueName } from "@trivault/core";
import type { Job } from "bullmq";
import { copyJobId, type CopyQueue, copyQueueOf, dumpJobSchema } from "./jobs.ts";
import { failingFast } from "./producer.ts";
import type { Queues } from "./queues.ts";

export interface StageStatus {
  /** The id of its job, also where that is not there yet. */
  readonly id: string;
  readonly stage: QueueName;
  /** For copies: where to. */
  readonly tier: string | null;
  readonly state: "waiting" | "active" | "retrying" | "completed" | "failed";
  readonly attempts: number;
  readonly progress: { readonly bytes: number; readonly totalBytes?: number; readonly segments: number } | null;
  /** Why the last attempt failed. */
  readonly problem: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface RunStatus {
  readonly runId: string;
  readonly database: string;
  /** The backup that the newest attempt makes; null before the first has begun. */
  readonly backupId: string | null;
  readonly stages: readonly StageStatus[];
}

type Configured = Pick<Config, "databases" | "servers" | "tiers">;

/** The copies that a backup of a database shall get, and the queues that they go through. */
export function copiesOf(config: Configured, database: string): { tier: string; queue: CopyQueue }[] {
  const wanted = findDatabase(config, database)?.tiers;
  const copies = config.tiers.slice(1).filter(({ name }) => wanted?.includes(name) ?? true);
  return copies.map(({ name, kind }) => ({ tier: name, queue: copyQueueOf("local", kind) }));
}

/** The progress of a requested backup, from its jobs; null where the queue does not know the run (any more). */
export function runStatus(queues: Queues, config: Configured, runId: string): Promise<RunStatus | null> {
  return failingFast(async () => {
    const dump = (await readJob(queues.dump, runId)) ?? (await dumpJobOf(queues, runId));
    if (!dump) return null;
    const data = dumpJobSchema.parse(dump.job.data);
    const backupId = data.current ?? null;
    const dumpId = dump.job.id ?? runId;
    const stages = [statusOf({ stage: "dump", tier: null, id: dumpId }, dump)];
    if (backupId !== null) {
      stages.push(statusOf({ stage: "encrypt", tier: null, id: backupId }, await readJob(queues.encrypt, backupId)));
      for (const { tier, queue } of copiesOf(config, data.database)) {
        const id = copyJobId(backupId, tier);
        stages.push(statusOf({ stage: queue, tier, id }, await readJob(queues[queue], id)));
      }
    }
    return { runId: dumpId, database: data.database, backupId, stages };
  });
}

/** The progress of one copy; null where the queue does not know it (any more). */
export function copyStatus(
  queues: Queues,
  queue: CopyQueue,
  { backupId, tier }: { readonly backupId: string; readonly tier: string },
): Promise<StageStatus | null> {
  return failingFast(async () => {
    const id = copyJobId(backupId, tier);
    const read = await readJob(queues[queue], id);
    return read && statusOf({ stage: queue, tier, id }, read);
  });
}

/** The dump job that makes a backup: scheduled runs and retries have other job ids than their backup. */
async function dumpJobOf(queues: Queues, backupId: string): Promise<ReadJob | null> {
  const jobs = await queues.dump.getJobs(["active", "waiting", "delayed", "failed", "completed"], 0, 500);
  const id = jobs.find((job) => job.data?.current === backupId)?.id;
  return id === undefined ? null : readJob(queues.dump, id);
}

/** How many workers listen to each queue. */
export async function countWorkers(queues: Queues): Promise<Record<string, number>> {
  return failingFast(async () =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(queues).map(async ([name, queue]) => [name, (await queue.getWorkers()).length] as const),
      ),
    ),
  );
}

export interface ReadJob {
  readonly job: Job;
  readonly state: string;
}

const LASTING = new Set(["active", "completed", "failed"]);

/**
 * A job and its state; null where the queue does not know it. The state is read first: a job that ends meanwhile is said to run
 * for one look longer, and never to have ended without its result or its reason. One that waited is read again where it does
 * no more, since it may have begun or ended before the job itself was read.
 */
export async function readJob(
  queue: Pick<Queues[QueueName], "getJobState" | "getJob">,
  id: string,
): Promise<ReadJob | null> {
  for (;;) {
    const state = await queue.getJobState(id);
    const job = await queue.getJob(id);
    if (!job) return null;
    if (LASTING.has(state) || (await queue.getJobState(id)) === state) return { job, state };
  }
}

/** `read`: null for a job that is not there yet. */
export function statusOf(of: Pick<StageStatus, "stage" | "tier" | "id">, read: ReadJob | null): StageStatus {
  if (read === null) {
    return { ...of, state: "waiting", attempts: 0, progress: null, problem: null, startedAt: null, finishedAt: null };
  }
  const { job } = read;
  return {
    ...of,
    state: stageState(read),
    attempts: job.attemptsMade,
    progress: typeof job.progress === "object" ? (job.progress as StageStatus["progress"]) : null,
    problem: job.failedReason ?? null,
    startedAt: job.processedOn === undefined ? null : new Date(job.processedOn),
    finishedAt: job.finishedOn === undefined ? null : new Date(job.finishedOn),
  };
}

/** BullMQ has several words for a job that waits. */
function stageState({ job, state }: ReadJob): StageStatus["state"] {
  if (state === "active" || state === "completed" || state === "failed") return state;
  return job.attemptsMade > 0 ? "retrying" : "waiting";
}
