import { type DumpOf, type DumpSlot, type DumpSlots, waitsFor } from "@trivault/backup";
import type { Logger } from "@trivault/core";
import { RunLater } from "@trivault/queue";

const LOOK_MS = 250;
/** Until a job that goes back to the queue is there. */
const ON_ITS_WAY_MS = 100;
/** A job that waits comes back by itself after so long, half more or less: for when the process that put it off is gone. */
const COMES_BACK_MS = 10_000;
/** A job that was called and has not come by then has gone to another process. */
const GONE_MS = 60_000;

export interface DumpLimit {
  /** Throws RunLater where no slot of the server is free; the job is then called back as soon as one is. */
  take(
    dump: DumpOf,
    job: { readonly id: string; readonly priority: number },
    context: { readonly signal: AbortSignal; readonly note: (line: string) => void },
  ): Promise<DumpSlot>;
  close(): void;
}

interface Waiting extends DumpOf {
  readonly id: string;
  readonly priority: number;
  readonly since: number;
  /** When it was put off, or called back. */
  movedAt: number;
  called: boolean;
}

/**
 * Holds jobs to the dump slots without keeping workers busy or asking Redis again and again: a job that finds no slot goes
 * back to the queue, so that dumps of other servers are not held up, and this process looks at the lease files until there is
 * a slot, four times a second however many wait. The most urgent, and of those the longest waiting, are called first.
 */
export function createDumpLimit(
  slots: DumpSlots,
  promote: (jobIds: readonly string[]) => Promise<void>,
  log: Logger,
): DumpLimit {
  const jobs = new Map<string, Waiting>();
  let timer: NodeJS.Timeout | null = null;
  let looking = false;

  const look = async () => {
    const now = performance.now();
    for (const job of jobs.values()) if (job.called && now - job.movedAt > GONE_MS) jobs.delete(job.id);
    const waiting = [...jobs.values()].filter((job) => !job.called && now - job.movedAt > ON_ITS_WAY_MS);
    const called = await slots.fitting(waiting.toSorted((a, b) => a.priority - b.priority || a.since - b.since));
    for (const job of called) Object.assign(job, { called: true, movedAt: now });
    if (called.length > 0) await promote(called.map(({ id }) => id));
  };
  const lookIn = (ms: number) => {
    if (jobs.size === 0 || looking) return;
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => {
      looking = true;
      void look()
        .catch((error: unknown) => log.warn({ err: error }, "jobs that wait for a dump slot could not be called"))
        .finally(() => {
          looking = false;
          lookIn(LOOK_MS);
        });
    }, ms);
  };

  return {
    async take(dump, { id, priority }, { signal, note }) {
      const slot = await slots.take(dump, signal);
      const before = jobs.get(id);
      jobs.delete(id);
      if (slot) {
        return {
          async release() {
            await slot.release();
            lookIn(0);
          },
        };
      }
      if (!before) note(waitsFor(dump.server));
      const now = performance.now();
      jobs.set(id, { id, priority, ...dump, since: before?.since ?? now, movedAt: now, called: false });
      if (!timer || jobs.size === 1) lookIn(LOOK_MS);
      throw new RunLater(Math.round(COMES_BACK_MS * (0.5 + Math.random())));
    },
    close() {
      jobs.clear();
      if (timer) clearTimeout(timer);
    },
  };
}
