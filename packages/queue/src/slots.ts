import { randomUUID } from "node:crypto";
import { directoryOf } from "@trivault/core";
import type { Redis } from "ioredis";
import type { DumpJob } from "./jobs.ts";
import { KEY_PREFIX, type Queues } from "./queues.ts";
import { jobAttributes, traceOfItsOwn } from "./tracing.ts";

/** Begun by hand or at a worker's start, at most so often for each tier. */
const ON_DEMAND_EVERY_MS = 60_000;
const MARK = `${KEY_PREFIX}:scheduled`;

export interface SlotJob {
  readonly database: string;
  readonly slot: Date;
  /** 1 is served first. Whatever was asked for by hand goes before all of these. */
  readonly priority: number;
  readonly missed?: DumpJob["missed"];
}

/**
 * The id of a scheduled dump job. It is made of the database and the slot, and BullMQ ignores an id that it knows: any
 * number of schedulers and restarts make one run per slot.
 */
export function slotJobId(database: string, slot: Date): string {
  return `slot.${directoryOf(database)}.${stamp(slot)}`;
}

/** Enqueues the runs of slots, in one round trip; those that are known already are left as they are. */
export async function addSlots(queues: Queues, slots: readonly SlotJob[]): Promise<void> {
  await queues.dump.addBulk(
    slots.map(({ database, slot, priority, missed }) => {
      const data: DumpJob = { database, actor: "schedule", slot: slot.toISOString(), ...(missed && { missed }) };
      return {
        name: "dump",
        data,
        opts: { jobId: slotJobId(database, slot), priority, ...traceOfItsOwn(queues.dump, jobAttributes(data)) },
      };
    }),
  );
}

/** The slots whose run the queue knows, whatever has become of it. */
export async function knownSlots<T extends Pick<SlotJob, "database" | "slot">>(
  queues: Queues,
  slots: readonly T[],
): Promise<Set<T>> {
  const jobs = await Promise.all(slots.map(({ database, slot }) => queues.dump.getJob(slotJobId(database, slot))));
  return new Set(slots.filter((_, index) => jobs[index] !== undefined));
}

/**
 * Says whether Redis may have lost jobs since it was last asked: it was wiped (its mark is gone), or the connection broke (a
 * Redis that crashed loses the last second of what it wrote). True the first time.
 */
export function watchForLoss(redis: Redis): () => Promise<boolean> {
  let mark: string | null = null;
  let connections = 0;
  let seen = -1;
  redis.on("ready", () => connections++);
  return async () => {
    const found = (await redis.get(MARK)) ?? (await setMark(redis));
    const lost = found !== mark || connections !== seen;
    mark = found;
    seen = connections;
    return lost;
  };
}

async function setMark(redis: Redis): Promise<string | null> {
  await redis.set(MARK, randomUUID(), "NX");
  return redis.get(MARK);
}

export async function addMaintenance(queues: Queues, tier: string, slot: Date): Promise<void> {
  await queues.maintenance.add("maintenance", { tier }, { jobId: `maintenance.${directoryOf(tier)}.${stamp(slot)}` });
}

/** Begins the maintenance of a tier now, at most once a minute. */
export async function startMaintenance(queues: Queues, tier: string): Promise<void> {
  const minute = Math.floor(Date.now() / ON_DEMAND_EVERY_MS);
  await queues.maintenance.add("maintenance", { tier }, { jobId: `maintenance.${directoryOf(tier)}.now-${minute}` });
}

/** Earlier versions scheduled with BullMQ's job schedulers; what they left in Redis would go on making jobs. */
export async function removeOldSchedulers(queues: Queues): Promise<void> {
  for (const queue of [queues.dump, queues.maintenance]) {
    for (const { key } of await queue.getJobSchedulers()) await queue.removeJobScheduler(key);
  }
}

/** Makes dump jobs that were put off (RunLater) be served now. */
export async function promoteDumps(queues: Queues, jobIds: readonly string[]): Promise<void> {
  for (const id of jobIds) {
    const job = await queues.dump.getJob(id);
    // It fails where the job's time has come meanwhile, which is as good.
    await job?.promote().catch(() => undefined);
  }
}

/** `20261123t020000z`: BullMQ's ids may not hold a colon. */
function stamp(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase().concat("z");
}
