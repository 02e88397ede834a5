import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Config, resolveConfig } from "@trivault/core";
import { isMoving, stateOfJobs } from "@trivault/monitor";
import {
  closeQueues,
  connectRedis,
  countWorkers,
  openQueues,
  requestBackup,
  type RunStatus,
  runStatus,
  siteJobKey,
} from "@trivault/queue";
import { interruption } from "./interruption.ts";
import { removeCopies, sealedBytes } from "./copies.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { measureServers, type ServerCpu } from "./servers.ts";
import { measureWorker, type WorkerMeasured } from "./worker-measure.ts";
import { siteEnvironment, startWorkerProcess } from "./worker-process.ts";

const POLL_MS = 100;
const START_MS = 30_000;

export interface BackupMeasured extends WorkerMeasured {
  readonly servers: ServerCpu;
  readonly backupId: string;
  /** From the request until the last of the four stages was complete. */
  readonly seconds: number;
  /** From the request until this stage was complete. */
  readonly stages: Readonly<Record<string, number>>;
  /** The size of the copy on each of the tiers. */
  readonly bytes: number;
}

export interface Trivault extends AsyncDisposable {
  /** What the worker and the command line run with. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  backup(): Promise<BackupMeasured>;
  /** Removes a backup from every tier. */
  forget(backupId: string): Promise<void>;
}

/** A worker process that takes every queue, and what is needed to ask it for backups. */
export async function startTrivault(source: Source, targets: Targets, profileDir: string | null): Promise<Trivault> {
  await using stack = new AsyncDisposableStack();
  // Plaintext waits in memory, as in any installation that follows the advice.
  const spoolDir = await mkdtemp("/dev/shm/tv-bench-spool-");
  stack.defer(() => rm(spoolDir, { recursive: true, force: true }));
  const backupDir = await mkdtemp(path.join(source.folder, "backups-"));
  const env = { ...siteEnvironment(source, targets, { backupDir, spoolDir }), DATABASE_URL: source.database.url };
  const config = resolveConfig(env, "backup");
  const redis = connectRedis(source.redis.url, "fail-fast");
  stack.defer(() => redis.disconnect());
  const queues = openQueues(redis, siteJobKey(backupDir));
  stack.defer(() => closeQueues(queues));
  const worker = stack.use(startWorkerProcess(env, profileDir));
  const deadline = performance.now() + START_MS;
  while (Object.values(await countWorkers(queues)).includes(0)) {
    if (worker.ended() || performance.now() > deadline) throw worker.failure("did not start");
    await sleep(POLL_MS, undefined, { signal: interruption });
  }

  const settled = async (runId: string): Promise<RunStatus> => {
    for (;;) {
      const status = await runStatus(queues, config, runId);
      const failed = status?.stages.find(({ state }) => state === "failed" || state === "retrying");
      if (failed) throw worker.failure(`failed in ${failed.stage}: ${failed.problem}`);
      if (worker.ended()) throw worker.failure("ended");
      if (status && !isMoving(stateOfJobs(status))) return status;
      await sleep(POLL_MS, undefined, { signal: interruption });
    }
  };
  const backup = async (): Promise<BackupMeasured> => {
    const servers = measureServers(source, targets);
    const measure = measureWorker(worker.pid, spoolDir);
    const requestedAt = Date.now();
    const { runId } = await requestBackup(queues, redis, {
      database: source.database.name,
      actor: "user:bench@localhost",
    });
    const { stages, backupId } = await settled(runId);
    const measured = { ...measure.stop(), servers: servers.stop() };
    if (backupId === null) throw new RangeError("a settled run has a backup");
    // The stages' own times are exact, while looking more often would take CPU time from what is measured.
    const ended = stages.map(({ stage, finishedAt }) => [
      stage,
      ((finishedAt?.getTime() ?? Infinity) - requestedAt) / 1000,
    ]);
    const seconds: Record<string, number> = Object.fromEntries(ended);
    return {
      ...measured,
      backupId,
      seconds: Math.max(...Object.values(seconds)),
      stages: seconds,
      bytes: await sealedBytes(config, { database: source.database.name, backupId }),
    };
  };
  const owned = stack.move();
  return {
    env,
    config,
    backup,
    forget: (backupId) => removeCopies(config, { database: source.database.name, backupId }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
