import type { Recorder } from "@trivault/audit";
import type { Logger, QueueName } from "@trivault/core";
import type { RefusedJob } from "@trivault/queue";

const PERIOD_MS = 60_000;
/** The length kept of an id that somebody else chose. */
const MOST_CHARACTERS = 100;

interface Refusals {
  /** Since the last event. */
  count: number;
  lastId: string;
  readonly timer: NodeJS.Timeout;
}

/**
 * Writes jobs that nobody of this site made into the audit log: the first of a queue at once, those of each minute after it as
 * one event with their number, so that whoever can write to Redis cannot fill the disk with them. What such a job says of
 * itself (who asked for it, which database) is not repeated.
 */
export function recordRefusedJobs(record: Recorder, log: Logger, periodMs = PERIOD_MS) {
  const refusals = new Map<QueueName, Refusals>();
  const write = (queue: QueueName, job: string, count: number) =>
    record({
      action: "job.refused",
      outcome: "refused",
      actor: "maintenance",
      error: { code: "UNTRUSTED", message: "A job in Redis was not made by this site, and was not carried out." },
      details: { queue, job, count },
    });
  const endPeriod = (queue: QueueName, known: Refusals) => {
    if (known.count === 0) {
      clearInterval(known.timer);
      refusals.delete(queue);
      return;
    }
    void write(queue, known.lastId, known.count);
    known.count = 0;
  };
  return {
    refused({ queue, id }: RefusedJob): void {
      const lastId = id.slice(0, MOST_CHARACTERS);
      const known = refusals.get(queue);
      if (known) {
        known.count += 1;
        known.lastId = lastId;
        return;
      }
      log.warn({ queue, job: lastId }, "a job that this site did not make was refused");
      const fresh: Refusals = {
        count: 0,
        lastId,
        timer: setInterval(() => endPeriod(queue, fresh), periodMs).unref(),
      };
      refusals.set(queue, fresh);
      void write(queue, lastId, 1);
    },
    async close(): Promise<void> {
      const left = [...refusals].filter(([, { count }]) => count > 0);
      for (const { timer } of refusals.values()) clearInterval(timer);
      refusals.clear();
      await Promise.all(left.map(([queue, { lastId, count }]) => write(queue, lastId, count)));
    },
  };
}
