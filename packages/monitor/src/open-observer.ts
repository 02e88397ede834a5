import { Worker } from "node:worker_threads";
import { type Config, type Logger, messageOf, TrivaultError } from "@trivault/core";
import type { Observer } from "./observer.ts";
import type { Asked, Reply } from "./observer-thread.ts";
import type { Overview } from "./views.ts";

const AGAIN_MS = 1000;
const MOST_AGAIN_MS = 60_000;
/** A thread that lived so long was well. */
const WELL_MS = 60_000;
/** To end in order; then it is made to. */
const CLOSE_MS = 5000;

/** What a first look of a large site makes lives on: in the 2 MB of the process (`npm start`) it would be collected again and again. */
const YOUNG_MB = 48;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Looks in a thread of its own, which opens the tiers and the audit log itself. One that dies is started again. */
export function openObserver(
  config: Config,
  log: Logger,
  { thread: file = new URL("./observer-thread.ts", import.meta.url) }: { readonly thread?: URL } = {},
): Observer {
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(overview: Overview) => void>();
  let asked = 0;
  let thread: Worker | null = null;
  let died: Error | null = null;
  let again = AGAIN_MS;
  let timer: NodeJS.Timeout | null = null;
  let closed: Promise<void> | null = null;
  let newest: Overview | null = null;

  const start = () => {
    timer = null;
    const startedAt = performance.now();
    const started = new Worker(file, {
      name: "observer",
      workerData: config,
      execArgv: [], // the process may have been started with options that a thread refuses
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    thread = started;
    died = null;
    let cause: unknown;
    started.on("message", (reply: Reply) => take(reply));
    started.on("error", (error) => (cause = error));
    started.on("exit", (code) => {
      thread = null;
      if (performance.now() - startedAt > WELL_MS) again = AGAIN_MS;
      const error = closed ? closedError() : crashed(code, cause);
      if (!closed) {
        died = error;
        log.error({ reason: error.message }, "the thread that observes the site died; it is started again");
        timer = setTimeout(start, again).unref();
        again = Math.min(2 * again, MOST_AGAIN_MS);
      }
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    });
    started.unref(); // an idle thread must not keep the process alive
  };

  const take = (reply: Reply) => {
    if ("line" in reply) writeLine(log, reply.line);
    else if ("looked" in reply) void notifyListeners();
    else {
      const one = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (waiting.size === 0) thread?.unref();
      if ("error" in reply) {
        const { code, message, permanent } = reply.error;
        one?.reject(code === null ? new Error(message) : new TrivaultError(code, message, { permanent }));
      } else one?.resolve(reply.answer);
    }
  };

  const ask = <T>(question: Asked["question"], argument: string | null = null): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed) throw closedError();
      if (thread === null) throw died ?? closedError();
      asked += 1;
      waiting.set(asked, { resolve: (answer) => resolve(answer as T), reject });
      thread.ref(); // a busy one must
      post(thread, { id: asked, question, argument });
    });

  /** The whole of it only comes over where it is another than the last. */
  const overview = async (): Promise<Overview> => {
    const answer = await ask<Overview | null>("overview", newest?.at ?? null);
    newest = answer ?? newest;
    if (newest === null) throw closedError();
    return newest;
  };

  const notifyListeners = async () => {
    if (listeners.size === 0) return;
    try {
      const now = await overview();
      for (const listener of listeners) listener(now);
    } catch (error) {
      if (!closed) log.error({ err: error }, "a listener of the observer failed");
    }
  };

  const end = async () => {
    if (timer !== null) clearTimeout(timer);
    listeners.clear();
    const ending = thread;
    if (ending === null) return;
    const gone = Promise.withResolvers<void>();
    const hurry = setTimeout(() => void ending.terminate(), CLOSE_MS);
    ending.once("exit", () => gone.resolve());
    ending.ref();
    post(ending, { id: 0, question: "close", argument: null });
    await gone.promise;
    clearTimeout(hurry);
  };

  start();
  return {
    overview,
    database: (name) => ask("database", name),
    tier: (name) => ask("tier", name),
    run: (backupId) => ask("run", backupId),
    refresh: () => ask("refresh"),
    onLook(listener, signal) {
      if (signal.aborted) return;
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
    close: () => (closed ??= end()),
  };
}

function post(thread: Worker, asked: Asked): void {
  thread.postMessage(asked, []); // the empty list of transfers shows the linter that this is no window
}

const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

/** A line of the thread's log, written anew here, so that the log keeps its one writer. */
function writeLine(log: Logger, line: string): void {
  const { level, time: _time, pid: _pid, hostname: _hostname, name: _name, msg, ...fields } = JSON.parse(line);
  const name = LEVELS.find((candidate) => log.levels.values[candidate] === level) ?? "info";
  log[name]({ thread: "observer", ...fields }, msg);
}

function crashed(code: number, cause: unknown): Error {
  const why = cause === undefined ? `exit code ${code}` : messageOf(cause);
  return new Error(
    `The thread that observes the site died (${why}), so this is not known now. It is started again by itself: ask again in a moment. If it happens again, look for a lack of memory on this machine.`,
    { cause },
  );
}

function closedError(): TrivaultError {
  return new TrivaultError("CANCELLED", "The observer of the site was closed; nothing more is looked at.");
}
