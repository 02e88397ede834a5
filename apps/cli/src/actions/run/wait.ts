import { setTimeout as sleep } from "node:timers/promises";
import { type Config, messageOf, type QueueName, TrivaultError } from "@trivault/core";
import { isMoving, stateOfJobs } from "@trivault/monitor";
import { type Queues, type RunStatus, runStatus } from "@trivault/queue";
import { absence } from "../../absence.ts";
import { type ProgressDisplay, showProgress, type Task } from "../../progress.ts";
import { stageName } from "./report.ts";

const LOOK_EVERY_MS = 500;

interface Wait {
  readonly config: Config;
  readonly missingWorkers: () => Promise<readonly QueueName[]>;
  readonly signal: AbortSignal;
}

/** How it ended: settled, or given up because nobody is there to go on with it. */
export type Waited = { readonly status: RunStatus } | { readonly noWorkerFor: readonly QueueName[] };

/** Shows the progress of a run until nothing of it will change by itself any more. */
export async function waitForRun(queues: Queues, runId: string, wait: Wait): Promise<Waited> {
  const display = showProgress(process.stderr);
  try {
    return await follow(queues, runId, wait, display);
  } catch (error) {
    if (!wait.signal.aborted) throw error;
    throw new TrivaultError(
      "CANCELLED",
      `Waiting was stopped. The backup goes on with the workers: run ${runId}; \`npm run backup:list\` shows it once it is complete.`,
    );
  } finally {
    display.stop();
  }
}

async function follow(queues: Queues, runId: string, wait: Wait, display: ProgressDisplay): Promise<Waited> {
  const news = newsTeller(display);
  const redis = absence(display);
  const workers = absence(display);
  for (;;) {
    try {
      const status = await runStatus(queues, wait.config, runId);
      if (status === null) throw forgotten(runId);
      news(status);
      if (!isMoving(stateOfJobs(status))) return { status };
      const missing = await wait.missingWorkers();
      redis.over();
      if (missing.length === 0) workers.over();
      else if (workers.tooLong(`no worker listens to ${missing.join(", ")} any more`)) return { noWorkerFor: missing };
    } catch (error) {
      const transient = error instanceof TrivaultError && error.code === "QUEUE_UNREACHABLE";
      if (!transient || redis.tooLong(messageOf(error))) throw error;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: wait.signal });
  }
}

/** Progress, each new attempt and why the one before it failed. */
function newsTeller(display: ProgressDisplay): (status: RunStatus) => void {
  let backupId: string | null = null;
  const shown = new Set<string>();
  return (status) => {
    if (status.backupId !== backupId) {
      display.say(`${backupId === null ? "" : "tried again: "}backup ${status.backupId} of ${status.database}`);
      backupId = status.backupId;
    }
    for (const stage of status.stages) {
      const news = `${stageName(stage)}, attempt ${stage.attempts}: ${stage.problem}`;
      if (stage.problem === null || stage.state === "failed" || stage.state === "completed" || shown.has(news))
        continue;
      shown.add(news);
      display.say(news);
    }
    display.update(tasksOf(status));
  };
}

function tasksOf({ stages }: RunStatus): Task[] {
  const totalOf = (name: string) => stages.find(({ stage }) => stage === name)?.progress?.totalBytes;
  const total = totalOf("encrypt") ?? totalOf("dump") ?? null;
  return stages.map((stage) => ({
    name: stageName(stage),
    state: stage.state,
    bytes: stage.progress?.bytes ?? 0,
    totalBytes: stage.progress?.totalBytes ?? total,
  }));
}

function forgotten(runId: string): TrivaultError {
  return new TrivaultError(
    "NOT_FOUND",
    `The queue knows nothing of the run ${runId} any more; Redis may have been wiped. What has begun goes on all the same: look with \`npm run backup:list\` whether the backup became complete, and ask for another if not.`,
  );
}
