import type { AuditLog, RecordedEvent } from "@trivault/audit";
import { DAY_MS, type Logger, messageOf } from "@trivault/core";
import type { DeskState } from "./desk-state.ts";
import { FOLLOWED } from "./incidents.ts";
import { pause } from "./pause.ts";

/** For an audit log that nobody has looked at yet. */
const FIRST_LOOK_BACK_MS = 3 * DAY_MS;
/** What is recorded within this time is looked at together. */
const SETTLE_MS = 300;
const AGAIN_MS = 10_000;

export interface EventFeed {
  /** What was recorded since the last call, in order. */
  take(): RecordedEvent[];
  /** Resolves once the signal has ended it. */
  readonly ended: Promise<void>;
}

/** All of the audit log that was not looked at yet is there at the first `take`: an end is never read without its beginning. */
export async function openEventFeed(
  { audit, now, log }: { audit: Pick<AuditLog, "query" | "follow">; now: () => Date; log: Logger },
  seen: DeskState["seen"],
  signal: AbortSignal,
  wake: () => void,
): Promise<EventFeed> {
  const events: RecordedEvent[] = [];
  let last = seen;
  const add = (event: RecordedEvent) => {
    // An audit log that was begun anew counts from 1 again.
    if (last !== null && event.seq <= last.seq && event.at <= last.at) return;
    last = { seq: event.seq, at: event.at };
    events.push(event);
  };
  const from = seen?.at ?? new Date(now().getTime() - FIRST_LOOK_BACK_MS);
  try {
    for await (const event of audit.query({ from, action: FOLLOWED })) add(event);
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "the audit log cannot be read; alerts know only what happens from now on");
  }

  const follow = async () => {
    while (!signal.aborted) {
      try {
        // Where none was found, from the same time on: one may be dated before this moment, and be written after it.
        for await (const event of audit.follow({ from: last?.at ?? from, action: FOLLOWED }, signal)) {
          add(event);
          setTimeout(wake, SETTLE_MS).unref();
        }
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ reason: messageOf(error) }, "the audit log cannot be followed; it is tried again");
        await pause(AGAIN_MS, signal);
      }
    }
  };
  return { take: () => events.splice(0), ended: follow() };
}
