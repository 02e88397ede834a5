import type { QueueName } from "@trivault/core";
import { z } from "zod";
import { failingFast } from "./producer.ts";
import type { Queues } from "./queues.ts";
import { readJob, type StageStatus, statusOf } from "./runs.ts";

/** The newest of them, where there are more. */
const MOST_LINES = 500;

/** One job, whatever its queue. */
export interface JobDetails extends Omit<StageStatus, "stage"> {
  readonly queue: QueueName;
  readonly createdAt: Date;
  /** What it is about: names and ids. */
  readonly about: z.infer<typeof aboutSchema>;
  /** What it came to, once it has. */
  readonly result: Readonly<Record<string, unknown>> | null;
}

const text = z.string().max(255).optional().catch(undefined);
/** What is shown of a job's data; another program may have put anything into it. */
const aboutSchema = z
  .object({
    database: text,
    backupId: text,
    current: text,
    tier: text,
    from: text,
    to: text,
    target: text,
    actor: text,
    slot: text,
  })
  .transform(({ current, backupId, ...rest }) => ({ ...rest, backupId: backupId ?? current }))
  .catch({ backupId: undefined });
const resultSchema = z.record(z.string(), z.unknown()).nullable().catch(null);

/** Null where the queue does not know the job (any more). */
export function jobDetails(queues: Queues, queue: QueueName, id: string): Promise<JobDetails | null> {
  return failingFast(async () => {
    const known = await queues[queue].getJob(id);
    if (!known) return null;
    // What is said by a job that nobody of this site made is not repeated as if somebody had asked for it.
    const about = aboutSchema.parse((await queues[queue].isOurs(known)) ? known.data : {});
    const read = await readJob(queues[queue], id);
    if (read === null) return null;
    const { stage: _stage, ...status } = statusOf({ stage: queue, tier: about.tier ?? null, id }, read);
    const result = resultSchema.parse(read.job.returnvalue ?? null);
    return { queue, createdAt: new Date(read.job.timestamp), about, result, ...status };
  });
}

/** What a job said, oldest first: lines that begin with their time. */
export function jobLog(queues: Queues, queue: QueueName, id: string): Promise<string[]> {
  return failingFast(async () => {
    const { logs } = await queues[queue].getJobLogs(id, 0, MOST_LINES - 1, false);
    return logs.toReversed();
  });
}
