import { setTimeout as sleep } from "node:timers/promises";
import { background, messageOf, TrivaultError } from "@trivault/core";
import type { Observer } from "./observer.ts";
import { createSiteView, type ObserverDeps, type SiteView } from "./site-view.ts";
import type { Overview } from "./views.ts";

const LOOK_EVERY_MS = 10_000;
/** What is recorded within this time is looked at together. */
const SETTLE_MS = 1000;
const CLOSE_MS = 3000;

/** Looks in this thread: for tests and the command line. Nothing is begun before the first question. */
export function createObserver(deps: ObserverDeps): Observer {
  const { log } = deps;
  const closing = new AbortController();
  const { signal } = closing;
  let view: SiteView | null = null;
  const listeners = new Set<(overview: Overview) => void>();
  let newest: Overview | null = null;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let begun = false;
  let lastProblem: string | null = null;

  const lookAfter = (ms: number) => {
    if (timer !== null) clearTimeout(timer);
    timer = signal.aborted ? null : setTimeout(() => void look().catch(() => undefined), ms);
  };

  const look = (): Promise<void> => {
    running ??= background(
      lookOnce().finally(() => {
        running = null;
        lookAfter(LOOK_EVERY_MS);
      }),
    );
    return running;
  };

  const lookOnce = async () => {
    try {
      view ??= createSiteView(deps, signal);
      newest = await view.look();
      lastProblem = null;
    } catch (error) {
      if (signal.aborted) throw closed();
      const reason = messageOf(error);
      if (reason !== lastProblem) log.error({ err: error }, "the site could not be looked at; what is shown gets old");
      lastProblem = reason;
      throw error;
    }
    for (const listener of listeners) notify(listener, newest);
  };

  const notify = (listener: (overview: Overview) => void, overview: Overview) => {
    try {
      listener(overview);
    } catch (error) {
      log.error({ err: error }, "a listener of the observer failed");
    }
  };

  const begin = () => {
    if (begun || signal.aborted) return;
    begun = true;
    void look().catch(() => undefined);
    void followRecord();
  };

  const followRecord = async () => {
    while (!signal.aborted) {
      try {
        for await (const _event of deps.audit.follow({}, signal)) lookAfter(SETTLE_MS);
        return;
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "the audit log cannot be followed; it is looked at every few seconds");
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  const looked = async (): Promise<Overview> => {
    if (signal.aborted) throw closed();
    begin();
    if (newest === null) await look();
    if (newest === null) throw closed();
    return newest;
  };

  return {
    overview: looked,
    async database(name) {
      await looked();
      return view?.database(name) ?? null;
    },
    async tier(name) {
      await looked();
      return view?.tier(name) ?? null;
    },
    async run(backupId) {
      await looked();
      return view?.run(backupId) ?? null;
    },
    async refresh() {
      if (signal.aborted) throw closed();
      begin();
      await running?.catch(() => undefined);
      await look();
    },
    onLook(listener, ended) {
      if (ended.aborted) return;
      listeners.add(listener);
      ended.addEventListener("abort", () => listeners.delete(listener), { once: true });
      begin();
    },
    async close() {
      closing.abort();
      if (timer !== null) clearTimeout(timer);
      listeners.clear();
      // A look that waits for a disk that hangs cannot be called back.
      const late = background(sleep(CLOSE_MS, undefined, { ref: false }));
      await Promise.race([running?.catch(() => undefined), late]);
    },
  };
}

function closed(): TrivaultError {
  return new TrivaultError("CANCELLED", "The observer of the site was closed; nothing more is looked at.");
}
