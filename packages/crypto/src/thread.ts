import { Worker } from "node:worker_threads";
import { messageOf, TrivaultError } from "@trivault/core";
import type { Job, Reply } from "./segment-thread.ts";

export interface SegmentThread {
  /** Moves the memory of a job that has some into the thread, where this side can no longer see it, and back with the reply. */
  run<J extends Job>(job: J): Promise<Reply<J>>;
  /** Ends the thread; jobs under way end CANCELLED. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** So many segments are sealed or opened at a time. */
const THREADS = 2;

/** Each job goes to the first of those with the least to do: who never asks for two at once never starts a second thread. */
export function createSegmentThreads(): SegmentThread {
  const threads = Array.from({ length: THREADS }, () => ({ thread: createSegmentThread(), jobs: 0 }));
  return {
    async run(job) {
      const chosen = threads.reduce((best, each) => (each.jobs < best.jobs ? each : best));
      chosen.jobs++;
      try {
        return await chosen.thread.run(job);
      } finally {
        chosen.jobs--;
      }
    },
    async close() {
      await Promise.all(threads.map(({ thread }) => thread.close()));
    },
  };
}

/** A thread that starts with its first job, and starts anew with the next job after it crashed. */
export function createSegmentThread(): SegmentThread {
  let worker: Worker | null = null;
  let closed = false;
  /** The thread answers in the order in which it was asked. */
  const waiting: Waiting[] = [];

  const start = (): Worker => {
    const started = new Worker(new URL("./segment-thread.ts", import.meta.url), {
      name: "segments",
      execArgv: [], // the process may have been started with options that a thread refuses
      // No limit to the old generation: half of it also limits the memory outside the heap, and where one segment is more
      // than that, V8 collects all garbage at every segment (a quarter of the CPU time). The heap stays near 10 MiB.
      resourceLimits: { maxYoungGenerationSizeMb: 4, stackSizeMb: 2 },
    });
    let cause: unknown;
    started.on("message", (reply: unknown) => {
      waiting.shift()?.resolve(reply);
      if (waiting.length === 0) started.unref();
    });
    started.on("error", (error) => (cause = error));
    started.on("exit", (code) => {
      worker = null;
      const error = closed ? cancelled() : crashed(code, cause);
      for (const { reject } of waiting.splice(0)) reject(error);
    });
    return started;
  };

  return {
    run(job) {
      return new Promise((resolve, reject) => {
        if (closed) throw cancelled();
        worker ??= start();
        worker.ref(); // an idle thread must not keep the process alive, a busy one must
        worker.postMessage(job, job.kind === "open" ? [job.memory] : []);
        waiting.push({ resolve: (reply) => resolve(reply as Reply<typeof job>), reject });
      });
    },
    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}

/** The error for work that was given up on request. */
export function cancelled(signal?: AbortSignal): TrivaultError {
  return new TrivaultError("CANCELLED", "The work on a segment was given up, as asked.", { cause: signal?.reason });
}

function crashed(code: number, cause: unknown): Error {
  const why = cause === undefined ? `exit code ${code}` : messageOf(cause);
  return new Error(
    `The thread that encrypts and decrypts segments died (${why}). Nothing of the segments it was working on was stored; ` +
      "they are taken up again by a retry. If it happens again, look for a lack of memory on this machine.",
    { cause },
  );
}
