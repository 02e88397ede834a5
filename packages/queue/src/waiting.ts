import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { background, type QueueName, TrivaultError } from "@trivault/core";
import type { Job, JobType, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { KEY_PREFIX } from "./queues.ts";

/** What people may have waiting at a time, each alone and all together: far above what is meant, far below what does harm. */
const MOST_WAITING = {
  dump: { each: 250, all: 500, what: "backups that were asked for" },
  // Each makes a database on somebody's server.
  restore: { each: 5, all: 10, what: "restores" },
  verify: { each: 250, all: 500, what: "verifications" },
} as const satisfies Partial<Record<QueueName, object>>;
export type BoundedQueue = keyof typeof MOST_WAITING;

/** Requests have no priority, so they stand here; scheduled runs are `prioritized`. A restore counts until it has ended. */
const STATES: Readonly<Record<BoundedQueue, JobType[]>> = {
  dump: ["waiting"],
  restore: ["active", "waiting", "delayed"],
  verify: ["waiting"],
};

/** A holder that is silent for so long counts as dead. */
const HELD_MS = 5000;
const AGAIN_MS = 10;

/** The jobs of a queue that count against its bound. */
export async function countedJobs(queue: Queue, name: BoundedQueue): Promise<Job[]> {
  const jobs = await queue.getJobs(STATES[name], 0, MOST_WAITING[name].all);
  // One that ended since it was listed is undefined in BullMQ's answer.
  return jobs.filter((job) => job?.id !== undefined);
}

/** Throws TOO_MANY_REQUESTS where one more would be too many, of this actor or of all. */
export async function requireRoom(queue: Queue, name: BoundedQueue, actor: string): Promise<void> {
  const { each, all, what } = MOST_WAITING[name];
  // While there are so few of all, no one has too many.
  if ((await queue.getJobCountByTypes(...STATES[name])) < each) return;
  const jobs = await countedJobs(queue, name);
  const own = jobs.filter((job) => job.data?.actor === actor).length;
  if (own < each && jobs.length < all) return;
  const who = own < each ? `${jobs.length} ${what} wait` : `${own} ${what} of ${actor} wait`;
  throw new TrivaultError(
    "TOO_MANY_REQUESTS",
    `${who} already, and no more are taken; nothing was enqueued. See them in the queues of the dashboard; ask again when some have ended, or remove some there.`,
  );
}

const turns = new Map<string, Promise<unknown>>();

/** One at a time, over all processes: what is counted must not change before it is added to. */
export function exclusively<T>(redis: Redis, name: string, work: () => Promise<T>): Promise<T> {
  return inTurn(name, () => locked(redis, name, work));
}

/** One at a time in this process, so that only one of them asks Redis. */
export async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(name) ?? Promise.resolve();
  const turn = background(before.then(work));
  const settled = turn.then(
    () => undefined,
    () => undefined,
  );
  turns.set(name, settled);
  try {
    return await turn;
  } finally {
    if (turns.get(name) === settled) turns.delete(name);
  }
}

/** One at a time over all processes. */
export async function locked<T>(redis: Redis, name: string, work: () => Promise<T>): Promise<T> {
  const key = `${KEY_PREFIX}:lock:${name}`;
  const own = randomUUID();
  while ((await redis.set(key, own, "PX", HELD_MS, "NX")) === null) await sleep(AGAIN_MS);
  try {
    return await work();
  } finally {
    // Where it was taken over, it is another's.
    const release = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end";
    await redis.eval(release, 1, key, own).catch(() => undefined);
  }
}
