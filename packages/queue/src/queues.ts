import { QUEUES, type QueueName } from "@trivault/core";
import type { Redis } from "ioredis";
import type { JobKey } from "./job-key.ts";
import { SealedQueue } from "./job-seal.ts";
import { JOB_OPTIONS, KEEP_JOBS } from "./jobs.ts";
import type { Tracing } from "./tracing.ts";

/** All keys of ours in Redis begin with this. */
export const KEY_PREFIX = "trivault";

export type Queues = Readonly<Record<QueueName, SealedQueue>>;

/** `key` is that of the site: what is added here is what its workers carry out. */
export function openQueues(redis: Redis, key: JobKey, tracing: Tracing | null = null): Queues {
  const open = (name: QueueName) => {
    const queue = new SealedQueue(name, key, {
      connection: redis,
      prefix: KEY_PREFIX,
      defaultJobOptions: { ...JOB_OPTIONS[name], ...KEEP_JOBS },
      skipWaitingForReady: true,
      // BullMQ asks once, and where Redis does not answer then, all later calls fail with that; checkRedis looks at it.
      skipVersionCheck: true,
      ...(tracing && { telemetry: tracing.telemetry }),
    });
    queue.on("error", () => undefined); // as in redis.ts: each call reports its own failure
    return queue;
  };
  return Object.fromEntries(QUEUES.map((name) => [name, open(name)])) as Queues;
}

export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.all(Object.values(queues).map((queue) => queue.close()));
}
