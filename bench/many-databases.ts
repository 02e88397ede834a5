import { mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { resolveConfig } from "@trivault/core";
import { isMoving, stateOfJobs } from "@trivault/monitor";
import {
  closeQueues,
  connectRedis,
  countWorkers,
  openQueues,
  requestBackup,
  runStatus,
  siteJobKey,
} from "@trivault/queue";
import { sealedBytes } from "./copies.ts";
import { interruption, obeySignals } from "./interruption.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { peakMemory } from "./processes.ts";
import { quiet } from "./sampling.ts";
import { prepareSource, type Source } from "./source.ts";
import { startTargets, type Targets } from "./targets.ts";
import { siteEnvironment, startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

/**
 * Many databases asked for at once: how long one worker takes for all of them, on three tiers, and how long three workers.
 * `npx node bench/many-databases.ts [databases] [MB of each]`; by default 30 of 30 MB. Prints JSON.
 */
const [DATABASES = 30, MEGABYTES = 30] = process.argv.slice(2).map(Number);
const WORKERS = [1, 3];
/** So many dumps at a time of the one server that all databases are on; the default would be one, whatever the workers. */
const DUMPS_PER_SERVER = Math.max(...WORKERS);
const POLL_MS = 250;
const names = Array.from({ length: DATABASES }, (_, index) => `shop_${String(index + 1).padStart(2, "0")}`);

/** What is printed. */
export interface ManyDatabases {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly databases: number;
  readonly databaseBytes: number;
  readonly measured: readonly Measured[];
}

export interface Measured {
  readonly workers: number;
  /** From the first request until the last copy of the last database was complete. */
  readonly seconds: number;
  readonly databasesPerMinute: number;
  /** Of the databases themselves. */
  readonly megabytesPerSecond: number;
  /** What one copy of all of them takes. */
  readonly sealedBytes: number;
  /** The most that any of the workers ever held. */
  readonly workerPeakMiB: number;
}

if (import.meta.main) console.log(JSON.stringify(await measureAll(), null, 2));

async function measureAll(): Promise<ManyDatabases> {
  obeySignals();
  const startedAt = new Date().toISOString();
  await using source = await prepareSource(MEGABYTES);
  for (const name of names) await source.postgres.query(`create database ${name} template ${source.database.name}`);
  await using targets = await startTargets("loopback", 6 * DATABASES * source.database.bytes + 1024 ** 3);
  const measured: Measured[] = [];
  for (const workers of WORKERS) {
    process.stderr.write(`${DATABASES} databases on ${workers} ${workers === 1 ? "worker" : "workers"}\n`);
    await quiet();
    measured.push(await measure(workers, source, targets));
  }
  const machine = await describeMachine(source.postgres.binDir);
  return { startedAt, machine, databases: DATABASES, databaseBytes: source.database.bytes, measured };
}

/** A site of its own, so that nothing of one measurement is there for the next. */
async function measure(workers: number, source: Source, servers: Targets): Promise<Measured> {
  const { folder, postgres, redis } = source;
  await using stack = new AsyncDisposableStack();
  const spoolDir = await mkdtemp("/dev/shm/tv-bench-spool-");
  stack.defer(() => rm(spoolDir, { recursive: true, force: true }));
  const backupDir = await mkdtemp(path.join(folder, "backups-"));
  const configFile = path.join(backupDir, "trivault.config.yaml");
  const lines = names.map((name) => `  ${name}:\n    url: ${postgres.urlOf(name)}`);
  await writeFile(configFile, `databases:\n${lines.join("\n")}\n`, { mode: 0o600 });
  const env = {
    ...siteEnvironment(source, servers, { backupDir, spoolDir }),
    BACKUP_CONFIG: configFile,
    BACKUP_REMOTE_DIR: path.join(servers.sshd.directory, `workers-${workers}`),
    BACKUP_S3_PREFIX: `workers-${workers}`,
    BACKUP_DUMPS_PER_SERVER: String(DUMPS_PER_SERVER),
  };
  const config = resolveConfig(env, "backup");
  const connection = connectRedis(redis.url, "fail-fast");
  stack.defer(() => connection.disconnect());
  const queues = openQueues(connection, siteJobKey(backupDir));
  stack.defer(() => closeQueues(queues));
  const processes = Array.from({ length: workers }, () => stack.use(startWorkerProcess(env, null)));
  await until(processes, async () => Object.values(await countWorkers(queues)).every((count) => count === workers));

  const begun = Date.now();
  const runIds = await Promise.all(
    names.map(async (name) => {
      const request = { database: name, actor: "user:bench@localhost" } as const;
      return (await requestBackup(queues, connection, request)).runId;
    }),
  );
  const ended: { readonly database: string; readonly backupId: string; readonly at: number }[] = [];
  for (const [index, runId] of runIds.entries()) {
    await until(processes, async () => {
      const status = await runStatus(queues, config, runId);
      const failed = status?.stages.find(({ state }) => state === "failed");
      if (failed) throw new Error(`${names[index]} failed in ${failed.stage}: ${failed.problem}`);
      if (!status || isMoving(stateOfJobs(status)) || status.backupId === null) return false;
      const at = Math.max(...status.stages.map(({ finishedAt }) => finishedAt?.getTime() ?? Infinity));
      ended.push({ database: names[index] ?? "", backupId: status.backupId, at });
      return true;
    });
  }
  const seconds = (Math.max(...ended.map(({ at }) => at)) - begun) / 1000;
  let bytesOfAll = 0;
  for (const { database, backupId } of ended) bytesOfAll += await sealedBytes(config, { database, backupId });
  return {
    workers,
    seconds,
    databasesPerMinute: (60 * DATABASES) / seconds,
    megabytesPerSecond: (DATABASES * source.database.bytes) / 1e6 / seconds,
    sealedBytes: bytesOfAll,
    workerPeakMiB: Math.max(...processes.map(({ pid }) => peakMemory(pid))) / 1024 ** 2,
  };
}

async function until(processes: readonly WorkerProcess[], holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    const ended = processes.find((each) => each.ended());
    if (ended) throw ended.failure("ended");
    await sleep(POLL_MS, undefined, { signal: interruption });
  }
}
