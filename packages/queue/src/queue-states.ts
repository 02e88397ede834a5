import type { QueueName } from "@trivault/core";
import type { Queue } from "bullmq";
import { failingFast } from "./producer.ts";
import type { Queues } from "./queues.ts";

/** Jobs with a priority are looked through one by one for the oldest; of more than these, the first ones. */
const MOST_LOOKED_AT = 1000;

export interface QueueState {
  readonly queue: QueueName;
  /** `waiting`: could be taken now. `delayed`: comes back later, such as a copy that failed. */
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** Finished ones that are still remembered. */
  readonly completed: number;
  readonly failed: number;
  readonly workers: number;
  /** How long the job that waits longest has; null: none waits. */
  readonly oldestWaitingSeconds: number | null;
}

/** What is in each queue and who serves it. Throws QUEUE_UNREACHABLE soon, where Redis does not answer. */
export function queueStates(queues: Queues, now: Date): Promise<QueueState[]> {
  return failingFast(() =>
    Promise.all(Object.entries(queues).map(([name, queue]) => stateOf(name as QueueName, queue, now))),
  );
}

async function stateOf(name: QueueName, queue: Queue, now: Date): Promise<QueueState> {
  const [counts, workers] = await Promise.all([queue.getJobCounts(), queue.getWorkers()]);
  const count = (...states: string[]) => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const waiting = count("waiting", "prioritized", "paused");
  return {
    queue: name,
    waiting,
    active: count("active"),
    delayed: count("delayed"),
    completed: count("completed"),
    failed: count("failed"),
    workers: workers.length,
    oldestWaitingSeconds: waiting === 0 ? null : await oldestWaiting(queue, now),
  };
}

async function oldestWaiting(queue: Queue, now: Date): Promise<number | null> {
  const [first, prioritized] = await Promise.all([
    queue.getJobs(["waiting"], 0, 0, true),
    queue.getJobs(["prioritized"], 0, MOST_LOOKED_AT - 1, true),
  ]);
  // One that was tried before has waited since then at most. A job that was taken meanwhile reads as undefined.
  const since = [...first, ...prioritized].flatMap((job) =>
    job ? [Math.max(job.timestamp, job.processedOn ?? 0)] : [],
  );
  if (since.length === 0) return null;
  return Math.max(0, (now.getTime() - Math.min(...since)) / 1000);
}
