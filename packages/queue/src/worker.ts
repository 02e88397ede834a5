import { isPermanent, type Logger, messageOf, type QueueName, TrivaultError, type WorkerConfig } from "@trivault/core";
import { DelayedError, type Job, UnrecoverableError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { JobKey } from "./job-key.ts";
import { identityOf, isSealed, sealed } from "./job-seal.ts";
import { KEY_PREFIX } from "./queues.ts";
import { jobAttributes, type Tracing } from "./tracing.ts";
import { isConnectionError } from "./redis.ts";

const PROGRESS_MS = 500;
/** A job that makes each of its workers die is not started for ever. */
const MAX_DEATHS = 30;
const LOOKS_WITHIN_TAKEOVER = 5;
const OUTAGE_LOGGED_EVERY_MS = 60_000;
const REFUSED =
  "This job was not made by this site, so it was not carried out: it has no proof of its origin, or another one's. " +
  "Whoever put it there can write to Redis: see who that is, and set a password. Jobs are asked for by the API or the command line, with the same BACKUP_DIR.";

export interface JobContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly note: (line: string) => void;
  readonly progress: (progress: object) => void;
  /** 1 at first. */
  readonly attempt: number;
  /** Whether the job will be run again if this one fails with `error`. */
  readonly isRetried: (error: unknown) => boolean;
}

export interface JobHandle {
  readonly id: string;
  /** As enqueued; 0 goes before all others. */
  readonly priority: number;
  /** A worker began it and died; this one follows. By what stands in Redis, so it is a hint and proves nothing. */
  readonly isTakenOver: boolean;
  update(data: object): Promise<void>;
  /** It does not wait any more: whoever asks for the same from now on asks for another one. */
  begun(): Promise<void>;
}

/** Thrown by a handler that cannot begin yet: the job comes back after `delayMs`, as if it had not been taken. */
export class RunLater extends Error {
  override readonly name = "RunLater";
  readonly delayMs: number;

  constructor(delayMs: number) {
    super(`not yet; again in ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

export interface Handler {
  /** Carries out one job; what it returns is kept with the job. May change the job's data (`update`). */
  run(data: unknown, context: JobContext, job: JobHandle): Promise<object>;
  /** Called once no attempt is left (or none makes sense). */
  failed?(data: unknown, error: Error): Promise<void>;
}

/** How one attempt of a job ended; `put-off`: not yet begun, or handed back by a shutdown, and comes back by itself. */
export interface JobEnd {
  readonly outcome: "completed" | "failed" | "retried" | "put-off";
  readonly seconds: number;
  /** As the handler reports it. */
  readonly bytes: number;
}

/** A job that nobody of this site made. */
export interface RefusedJob {
  readonly queue: QueueName;
  readonly id: string;
}

export interface QueueWorkerOptions {
  /** Called when a job is taken; what it returns is called when the attempt is over. */
  readonly onJob?: ((queue: QueueName) => (end: JobEnd) => void) | undefined;
  readonly tracing?: Tracing | null;
}

/** How a worker knows the jobs of its site, and who gets the others. */
export interface JobOrigin {
  readonly key: JobKey;
  readonly onRefused?: ((job: RefusedJob) => void) | undefined;
}

export interface RunningWorker {
  /** Resolves once it is connected and waits for jobs: from then on the queue counts it. Waits for a Redis that is away. */
  ready(): Promise<void>;
  /** False once it is closed, and where it was never able to begin. */
  isRunning(): boolean;
  /** Takes no new job, lets running ones finish for `graceMs`, then hands them back to the queue. */
  close(graceMs: number): Promise<void>;
}

/**
 * The one place where BullMQ calls a stage. A permanent failure is not retried; a job interrupted by a shutdown goes back
 * to the queue without costing an attempt. A job whose lock is lost (Redis wiped or cut off) goes on: leases on the files
 * fence it, and whatever it completes is complete. A job without the proof of its origin (job-seal.ts) never reaches the
 * handler.
 */
export function startWorker(
  redis: Redis,
  queue: QueueName,
  config: WorkerConfig,
  log: Logger,
  handler: Handler,
  { key, onRefused, onJob, tracing = null }: JobOrigin & QueueWorkerOptions,
): RunningWorker {
  const stopping = new AbortController();
  const isOurs = async (job: Job) => isSealed(await key(), identityOf(job), job.data);
  const worker = new Worker(
    queue,
    async (job, token, signal) => {
      const signals = AbortSignal.any([stopping.signal, ...(signal ? [signal] : [])]);
      const ended = onJob?.(queue);
      const begun = performance.now();
      const end = (outcome: JobEnd["outcome"], bytes = 0) =>
        ended?.({ outcome, bytes, seconds: (performance.now() - begun) / 1000 });
      const check = async () => {
        if (await isOurs(job)) return;
        onRefused?.({ queue, id: job.id ?? "" });
        throw new TrivaultError("UNTRUSTED", REFUSED, { permanent: true });
      };
      return carryOut(job, token, {
        signal: signals,
        stopping: stopping.signal,
        log,
        check,
        handler,
        end,
        tracing,
        key,
      });
    },
    {
      connection: redis,
      prefix: KEY_PREFIX,
      concurrency: config.concurrency[queue],
      lockDuration: config.takeoverSeconds * 1000,
      // Looked for more often than that, or a dead worker's job would wait for up to twice the time.
      stalledInterval: (config.takeoverSeconds * 1000) / LOOKS_WITHIN_TAKEOVER,
      maxStalledCount: MAX_DEATHS,
      ...(tracing && { telemetry: tracing.telemetry }),
    },
  );
  logProblems(worker, log, queue);
  worker.on("failed", (job, error) => {
    if (!job) return;
    const final =
      job.attemptsMade >= (job.opts.attempts ?? 1) ||
      error instanceof UnrecoverableError ||
      error.name === "UnrecoverableError";
    log[final ? "error" : "warn"](
      { queue, job: job.id, attempt: job.attemptsMade, reason: error.message },
      final ? "job failed" : "job failed; it is tried again",
    );
    if (!final || !handler.failed) return;
    const tidyUp = async () => {
      if (await isOurs(job)) await handler.failed?.(job.data, error);
    };
    tidyUp().catch((cause: unknown) => log.error({ queue, job: job.id, err: cause }, "tidying up failed"));
  });
  return {
    ready: () => worker.waitUntilReady(),
    isRunning: () => worker.isRunning(),
    async close(graceMs) {
      const hurry = setTimeout(() => stopping.abort(new TrivaultError("CANCELLED", "The worker shuts down.")), graceMs);
      try {
        await worker.close();
      } finally {
        clearTimeout(hurry);
      }
    },
  };
}

/** Connections try again every few seconds, and each try is an error: an outage is logged once a minute, and in one line. */
function logProblems(worker: Worker, log: Logger, queue: QueueName): void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  worker.on("error", (error) => {
    if (!isConnectionError(error)) return log.warn({ queue, err: error }, "a worker of the queue had a problem");
    if (performance.now() - loggedAt < OUTAGE_LOGGED_EVERY_MS) return;
    loggedAt = performance.now();
    log.warn({ queue, reason: messageOf(error) }, "the queue cannot be reached; it is tried again");
  });
}

interface Attempt {
  readonly signal: AbortSignal;
  readonly stopping: AbortSignal;
  readonly log: Logger;
  readonly handler: Handler;
  readonly tracing: Tracing | null;
  /** Throws where the job is not ours. */
  readonly check: () => Promise<void>;
  readonly key: JobKey;
  readonly end: (outcome: JobEnd["outcome"], bytes?: number) => void;
}

async function carryOut(
  job: Job,
  token: string | undefined,
  { signal, stopping, check, handler, end, tracing, key, ...parent }: Attempt,
): Promise<object> {
  const log = parent.log.child({ queue: job.queueName, job: job.id });
  const progress = throttled((value) => job.updateProgress(value), log);
  const attempt = job.attemptsMade + 1;
  const context: JobContext = {
    signal,
    log,
    attempt,
    isRetried: (error) => stopping.aborted || (!isPermanent(error) && attempt < (job.opts.attempts ?? 1)),
    note: (line) => {
      log.info(line);
      job
        .log(`${new Date().toISOString()} ${line}`)
        .catch((error: unknown) => log.debug({ err: error }, "a log line was not kept"));
    },
    progress: (value) => progress.report(value),
  };
  try {
    await check();
    const handle: JobHandle = {
      id: job.id ?? "",
      priority: job.priority,
      isTakenOver: job.stalledCounter > 0,
      update: async (data) => job.updateData(sealed(await key(), identityOf(job), data)),
      begun: async () => void (await job.removeDeduplicationKey()),
    };
    const { proof: _proof, ...data } = job.data;
    const result = await handler.run(data, context, handle);
    tracing?.annotate(jobAttributes(job.data, result));
    end("completed", "bytes" in result && typeof result.bytes === "number" ? result.bytes : 0);
    return result;
  } catch (error) {
    const putOff = error instanceof RunLater || stopping.aborted;
    end(putOff ? "put-off" : context.isRetried(error) ? "retried" : "failed");
    if (error instanceof RunLater) {
      await job.moveToDelayed(Date.now() + error.delayMs, token);
      throw new DelayedError();
    }
    if (stopping.aborted) {
      context.note("handed back: this worker shuts down");
      await job.moveToDelayed(Date.now() + 500, token);
      throw new DelayedError();
    }
    tracing?.annotate(jobAttributes(job.data));
    tracing?.fail(error);
    context.note(messageOf(error));
    log.debug({ err: error }, "failed");
    // BullMQ keeps the message with the job, so it must be the operator's paragraph and not a stack.
    if (isPermanent(error)) throw new UnrecoverableError(messageOf(error));
    throw error;
  } finally {
    await progress.flush();
  }
}

/** Sends at most one report each half second, and always the last one. */
function throttled(send: (value: object) => Promise<void>, log: Logger) {
  let latest: object | null = null;
  let timer: NodeJS.Timeout | null = null;
  const flush = async () => {
    if (timer) clearTimeout(timer);
    timer = null;
    const value = latest;
    latest = null;
    if (value) await send(value).catch((error: unknown) => log.debug({ err: error }, "progress was not kept"));
  };
  return {
    flush,
    report(value: object) {
      latest = value;
      timer ??= setTimeout(() => void flush(), PROGRESS_MS);
    },
  };
}
