import { setTimeout as sleep } from "node:timers/promises";
import { type RunStage, runStages } from "@trivault/backup";
import { type Config, formatBytes, messageOf, type QueueName, TrivaultError } from "@trivault/core";
import { type MaintenanceSite, recordedStage, type WantedCopy } from "@trivault/maintenance";
import { copyQueueOf, copyStatus, countWorkers, type Queues, type StageStatus, startCopy } from "@trivault/queue";
import { absence } from "../../absence.ts";
import { actor } from "../../actor.ts";
import type { Environment } from "../../environment.ts";
import { formatSeconds } from "../../output.ts";
import { type ProgressDisplay, showProgress, type Task } from "../../progress.ts";

export interface CopyOutcome extends WantedCopy {
  readonly state: "missing" | "enqueued" | "completed" | "failed";
  readonly seconds: number | null;
  readonly problem: string | null;
}

const LOOK_EVERY_MS = 500;

/** In this process: tiers side by side, the copies of each one after the other. What fails does not stop the others. */
export async function copyHere(
  site: MaintenanceSite,
  { log }: Environment,
  copies: readonly WantedCopy[],
  signal: AbortSignal,
): Promise<CopyOutcome[]> {
  const watch = watchCopies(copies);
  const byTier = Map.groupBy(copies, ({ to }) => to);
  try {
    return (await Promise.all([...byTier.values()].map(carry))).flat();
  } finally {
    watch.stop();
  }

  async function carry(those: readonly WantedCopy[]): Promise<CopyOutcome[]> {
    const outcomes: CopyOutcome[] = [];
    const wanted = new Map<RunStage, WantedCopy>(those.map((copy) => [{ stage: "copy", ...copy }, copy]));
    const ended = (stage: RunStage, seconds: number | null, problem: string | null) => {
      const copy = wanted.get(stage);
      if (copy === undefined) return;
      watch.ended(copy, seconds, problem);
      outcomes.push({ ...copy, state: problem === null ? "completed" : "failed", seconds, problem });
    };
    await runStages(site, [...wanted.keys()], {
      signal,
      log,
      note: (_stage, line) => log.debug(line),
      progress: (stage, now) => {
        const copy = wanted.get(stage);
        if (copy !== undefined) watch.progress(copy, now.bytes);
      },
      next: () => "elsewhere",
      lastTry: false,
      around: async (stage, work) => {
        try {
          const result = await recordedStage(site, stage, { actor: actor() }, work);
          ended(stage, result.seconds, null);
          return result;
        } catch (error) {
          if (!signal.aborted) ended(stage, null, messageOf(error));
          throw error;
        }
      },
    });
    signal.throwIfAborted();
    return outcomes;
  }
}

/** Queues that these copies go through, and that no worker listens to. */
export async function copyQueuesWithoutWorker(
  config: Config,
  queues: Queues,
  copies: readonly WantedCopy[],
): Promise<QueueName[]> {
  const workers = await countWorkers(queues);
  return [...new Set(copies.map((copy) => queueOf(config, copy)))].filter((queue) => (workers[queue] ?? 0) === 0);
}

export async function enqueueCopies(
  config: Config,
  queues: Queues,
  copies: readonly WantedCopy[],
): Promise<CopyOutcome[]> {
  for (const copy of copies) {
    const { database, backupId, from, to } = copy;
    await startCopy(queues, queueOf(config, copy), { database, backupId, from, to, actor: actor() });
  }
  return copies.map((copy) => ({ ...copy, state: "enqueued", seconds: null, problem: null }));
}

/** Shows the progress of enqueued copies until each has ended; or which queues nobody listens to any more. */
export async function waitForCopies(
  config: Config,
  queues: Queues,
  copies: readonly WantedCopy[],
  signal: AbortSignal,
): Promise<{ readonly outcomes: CopyOutcome[] } | { readonly noWorkerFor: readonly QueueName[] }> {
  const watch = watchCopies(copies);
  const redis = absence(watch.display);
  const workers = absence(watch.display);
  const outcomes = new Map<WantedCopy, CopyOutcome>();
  try {
    for (;;) {
      try {
        for (const copy of copies) {
          if (outcomes.has(copy)) continue;
          const status = await copyStatus(queues, queueOf(config, copy), { backupId: copy.backupId, tier: copy.to });
          const ended = outcomeOf(copy, status);
          if (ended) {
            outcomes.set(copy, ended);
            watch.ended(copy, ended.seconds, ended.problem);
          } else if (status) watch.now(copy, status);
        }
        if (outcomes.size === copies.length) return { outcomes: copies.flatMap((copy) => outcomes.get(copy) ?? []) };
        const missing = await copyQueuesWithoutWorker(
          config,
          queues,
          copies.filter((copy) => !outcomes.has(copy)),
        );
        redis.over();
        if (missing.length === 0) workers.over();
        else if (workers.tooLong(`no worker listens to ${missing.join(", ")} any more`))
          return { noWorkerFor: missing };
      } catch (error) {
        const transient = error instanceof TrivaultError && error.code === "QUEUE_UNREACHABLE";
        if (!transient || redis.tooLong(messageOf(error))) throw error;
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new TrivaultError("CANCELLED", "Waiting was stopped. The workers go on with the copies.");
  } finally {
    watch.stop();
  }
}

function outcomeOf(copy: WantedCopy, status: StageStatus | null): CopyOutcome | null {
  const forgotten = "the queue knows nothing of it any more; Redis may have been wiped. Say it again.";
  if (status === null) return { ...copy, state: "failed", seconds: null, problem: forgotten };
  const { state, startedAt, finishedAt } = status;
  if (state !== "completed" && state !== "failed") return null;
  const seconds = startedAt && finishedAt ? (finishedAt.getTime() - startedAt.getTime()) / 1000 : null;
  return { ...copy, state, seconds, problem: state === "failed" ? (status.problem ?? "it failed") : null };
}

function queueOf(config: Config, { from, to }: WantedCopy) {
  const kindOf = (name: string) => config.tiers.find((tier) => tier.name === name)?.kind ?? "sftp";
  return copyQueueOf(kindOf(from), kindOf(to));
}

/** One bar for each tier, and a line for each copy that ended. */
function watchCopies(copies: readonly WantedCopy[]) {
  const display: ProgressDisplay = showProgress(process.stderr);
  const moved = new Map<WantedCopy, number>();
  const ended = new Map<WantedCopy, boolean>();
  const shown = new Set<string>();
  const tiers = [...new Set(copies.map(({ to }) => to))];
  const show = () => display.update(tiers.map(taskOf));
  const taskOf = (tier: string): Task => {
    const those = copies.filter(({ to }) => to === tier);
    const over = those.filter((copy) => ended.has(copy));
    const failed = over.some((copy) => ended.get(copy) === false);
    const active = those.some((copy) => moved.has(copy));
    const state = over.length === those.length ? (failed ? "failed" : "completed") : active ? "active" : "waiting";
    const bytes = those.reduce((sum, copy) => sum + (ended.get(copy) ? copy.bytes : (moved.get(copy) ?? 0)), 0);
    return { name: `copies to ${tier}`, state, bytes, totalBytes: those.reduce((sum, copy) => sum + copy.bytes, 0) };
  };
  const place = ({ to, from }: WantedCopy) => `to ${to} (from ${from})`;
  return {
    display,
    progress(copy: WantedCopy, bytes: number) {
      moved.set(copy, bytes);
      show();
    },
    now(copy: WantedCopy, { state, progress, problem, attempts }: StageStatus) {
      if (state === "active") moved.set(copy, progress?.bytes ?? 0);
      const news = `${copy.backupId} ${place(copy)}, attempt ${attempts}: ${problem}`;
      if (problem !== null && !shown.has(news)) display.say(news);
      shown.add(news);
      show();
    },
    ended(copy: WantedCopy, seconds: number | null, problem: string | null) {
      ended.set(copy, problem === null);
      const done = `${formatBytes(copy.bytes)}${seconds === null ? "" : ` in ${formatSeconds(seconds)}`}`;
      display.say(
        `${copy.database} ${copy.backupId} ${place(copy)}: ${problem === null ? done : `FAILED: ${problem}`}`,
      );
      show();
    },
    stop: () => display.stop(),
  };
}
