import { setTimeout as sleep } from "node:timers/promises";
import type { RecordedEvent } from "@trivault/audit";
import { messageOf } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import { type MovingRun, watchRuns } from "@trivault/queue";
import type { ApiDeps } from "./deps.ts";

/** Runs are looked at so often while somebody listens, and less often where Redis does not answer. */
const LOOK_EVERY_MS = 500;
const AWAY_MS = 3000;

/** What happens, for whoever listens. */
export interface Listener {
  /** Runs and records of this one only; null: all. */
  readonly backup: string | null;
  record(event: RecordedEvent): void;
  run(run: MovingRun): void;
  overview(overview: Pick<Overview, "at"> & { readonly ok: boolean }): void;
}

export interface EventHub {
  /** Returns what ends it. */
  listen(listener: Listener): () => void;
  close(): void;
}

/** One pair of eyes for any number of listeners: the audit log is followed and the queue polled once, and only while one is there. */
export function createEventHub({ config, queues, audit, observer, log }: Omit<ApiDeps, "closing">): EventHub {
  const listeners = new Set<Listener>();
  let watching: AbortController | null = null;
  /** As the last look found them: what a new listener hears first. */
  let sent = new Map<string, SentRun>();

  const follow = async (signal: AbortSignal) => {
    // From a time on, and not from the end, so that no event falls between a listener's first look back and this.
    for await (const event of audit.follow({ from: new Date(Date.now() - 1000) }, signal)) {
      for (const listener of listeners) if (concerns(listener, event.backupId)) listener.record(event);
    }
  };
  const pollRuns = async (signal: AbortSignal) => {
    const watch = watchRuns(queues, config);
    const look = async () => {
      const named = new Set([...listeners].flatMap(({ backup }) => backup ?? []));
      const runs = await watch.look(named);
      const now = new Map<string, SentRun>();
      for (const run of runs) {
        const name = `${run.kind} ${run.runId}`;
        const state = JSON.stringify(run);
        now.set(name, { run, state });
        if (sent.get(name)?.state === state) continue;
        for (const listener of listeners) if (concerns(listener, run.backupId, run.runId)) listener.run(run);
      }
      sent = now;
    };
    while (!signal.aborted) {
      const late = await look().then(
        () => LOOK_EVERY_MS,
        (error: unknown) => {
          log.debug({ reason: messageOf(error) }, "runs could not be looked at");
          return AWAY_MS;
        },
      );
      await sleep(late, undefined, { signal }).catch(() => undefined);
    }
  };
  const watch = (signal: AbortSignal) => {
    const failed = (error: unknown) => log.warn({ reason: messageOf(error) }, "events are not sent any more");
    follow(signal).catch(failed);
    pollRuns(signal).catch(failed);
    observer.onLook(({ at, health: { ok } }) => {
      for (const listener of listeners) if (listener.backup === null) listener.overview({ at, ok });
    }, signal);
  };
  return {
    listen(listener) {
      listeners.add(listener);
      for (const { run } of sent.values()) if (concerns(listener, run.backupId, run.runId)) listener.run(run);
      if (watching === null) {
        watching = new AbortController();
        watch(watching.signal);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        watching?.abort();
        watching = null;
        sent = new Map();
      };
    },
    close() {
      listeners.clear();
      watching?.abort();
      watching = null;
    },
  };
}

interface SentRun {
  readonly run: MovingRun;
  readonly state: string;
}

function concerns({ backup }: Listener, ...ids: readonly (string | null | undefined)[]): boolean {
  return backup === null || ids.includes(backup);
}
