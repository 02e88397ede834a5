import { requireOwnSite } from "@trivault/cluster";
import type { Config, Logger, QueueName } from "@trivault/core";
import { stateOfJobs } from "@trivault/monitor";
import { copiesOf, countWorkers, type Queues, requestBackup, type RunStatus, type StageStatus } from "@trivault/queue";
import { actor } from "../../actor.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withRecord } from "../../record.ts";
import { withQueues } from "../../with-queues.ts";
import { type RunReport, reportOutcome, type StageReport } from "./report.ts";
import { waitForRun } from "./wait.ts";

interface Request {
  readonly database: string;
  readonly wait?: boolean;
  readonly idempotencyKey?: string;
}

/** Enqueues a backup for the workers, and waits for it where that is asked for. */
export async function runOnWorkers(config: Config, log: Logger, request: Request, running: Running): Promise<number> {
  await requireOwnSite(config, log, running.signal); // before the key that jobs are sealed with is looked for, and made
  return withQueues(config, "say --inline to make the backup in this process", async (queues, redis) => {
    const missing = await queuesWithoutWorker(config, queues, request.database);
    if (missing.length > 0 && request.wait) return refuse(request, missing, running);
    const { runId, created, joined } = await requestBackup(queues, redis, { ...request, actor: actor() });
    if (created) await recordRequest(config, request.database, runId);
    const enqueued: RunReport = {
      mode: "queue",
      database: request.database,
      runId,
      backupId: null,
      ok: null,
      created,
      joined,
      queuesWithoutWorker: missing,
      stages: [],
    };
    if (!request.wait) return reportEnqueued(enqueued, running);
    const waited = await waitForRun(queues, runId, {
      config,
      missingWorkers: () => queuesWithoutWorker(config, queues, request.database),
      signal: running.signal,
    });
    if ("noWorkerFor" in waited)
      return reportEnqueued({ ...enqueued, queuesWithoutWorker: waited.noWorkerFor }, running);
    return reportOutcome({ ...enqueued, ...outcomeOf(waited.status) }, { ...config.limits, json: running.json });
  });
}

async function recordRequest(config: Config, database: string, runId: string): Promise<void> {
  const event = {
    action: "backup.requested",
    outcome: "ok",
    actor: actor(),
    database,
    details: { run: runId },
  } as const;
  await withRecord(config, (record) => record(event));
}

async function queuesWithoutWorker(config: Config, queues: Queues, database: string): Promise<QueueName[]> {
  const needed = new Set<QueueName>(["dump", "encrypt", ...copiesOf(config, database).map(({ queue }) => queue)]);
  const workers = await countWorkers(queues);
  return [...needed].filter((queue) => (workers[queue] ?? 0) === 0);
}

function outcomeOf(status: RunStatus): Pick<RunReport, "backupId" | "ok" | "stages"> {
  return { backupId: status.backupId, ok: stateOfJobs(status) === "ok", stages: status.stages.map(reportOf) };
}

function reportOf({ stage, tier, state, progress, startedAt, finishedAt, problem }: StageStatus): StageReport {
  return {
    stage: tier === null ? stage : "copy",
    tier,
    state,
    bytes: progress?.bytes ?? 0,
    seconds: startedAt && finishedAt ? (finishedAt.getTime() - startedAt.getTime()) / 1000 : null,
    problem: state === "completed" ? null : problem,
  };
}

function reportEnqueued(run: RunReport, { json }: Running): number {
  if (run.queuesWithoutWorker.length > 0) {
    say(
      `No worker listens to ${run.queuesWithoutWorker.join(", ")} now. The backup stays in the queue and begins when one does: start \`npm start\` or \`npm run worker\`.`,
    );
  }
  if (json) printJson(run);
  else {
    print(
      run.created
        ? `A backup of ${run.database} is in the queue: run ${run.runId}. \`npm run backup:list\` shows it once it is complete.`
        : run.joined
          ? `A backup of ${run.database} waits already, and serves this request as well: run ${run.runId}. Nothing new was enqueued.`
          : `A backup with this idempotency key was asked for before: run ${run.runId}. Nothing new was enqueued.`,
    );
  }
  return run.queuesWithoutWorker.length > 0 ? EXIT.noWorker : EXIT.ok;
}

/** To wait for nobody would be to wait for ever. */
function refuse({ database }: Request, missing: readonly QueueName[], { json }: Running): number {
  const message = `No worker listens to ${missing.join(", ")}, so there is nobody to wait for; nothing was enqueued. Start \`npm start\` or \`npm run worker\`, or say --inline to make the backup in this process.`;
  say(message);
  if (json) printJson({ error: { code: "NO_WORKER", message }, database, queuesWithoutWorker: missing });
  return EXIT.noWorker;
}
