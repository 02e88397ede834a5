import { auditFolder, openAuditLog } from "@trivault/audit";
import { listSlotRuns, openDumpSlots } from "@trivault/backup";
import { type Config, ensureStateFolder, type Logger } from "@trivault/core";
import { knownDatabases, startHeartbeat, watchDatabases } from "@trivault/site";
import {
  checkRedis,
  closeQueues,
  connectRedis,
  openQueues,
  type QueueWorkerOptions,
  type RunningWorker,
  promoteDumps,
  redisAnswers,
  redisDrift,
  removeOldSchedulers,
  siteJobKey,
  startWorker,
} from "@trivault/queue";
import { sshNativeAddonLoaded } from "@trivault/storage";
import { createDumpLimit } from "./dump-limit.ts";
import { openSite } from "./open-site.ts";
import { recordRefusedJobs } from "./refused-jobs.ts";
import { scheduleQueue } from "./schedule-queue.ts";
import { startScheduler } from "./scheduler.ts";
import { stageHandlers } from "./stage-handlers.ts";

const TICK_MS = 5000;
/** Rounds of maintenance at a time, if there are not more tiers: one that hangs must not hold up the others. */
const LEAST_MAINTENANCE = 4;

export interface RunningWorkers {
  /** Whether jobs can be taken now: every worker runs, and Redis answers. */
  isHealthy(): Promise<boolean>;
  /**
   * Takes no more jobs, lets those that run finish for so long (as configured, by default), hands back what is left, and
   * closes everything. Said again, it shortens the grace.
   */
  close(graceSeconds?: number): Promise<void>;
}

export interface WorkerOptions extends QueueWorkerOptions {
  /** The time that slots, ids and the audit log go by; a simulation may let it run faster. */
  readonly now?: () => Date;
  /** How often schedules are looked at, in real time. */
  readonly tickMs?: number;
}

/** Takes jobs of the configured queues until closed. Throws where Redis is unsafe or unreachable, or a setting unusable. */
export async function startWorkers(
  config: Config,
  redisUrl: string,
  log: Logger,
  { now = () => new Date(), tickMs = TICK_MS, ...measuring }: WorkerOptions = {},
): Promise<RunningWorkers> {
  await ensureStateFolder(config.backupDir);
  await checkReachable(redisUrl);
  let grace = 0;
  await using opened = new AsyncDisposableStack(); // what a failed start opened is closed again
  const redis = connectRedis(redisUrl, "wait");
  opened.defer(() => redis.disconnect());
  let heartbeat: { close(): Promise<void> } | null = null; // it beats on while jobs take their grace
  opened.defer(() => heartbeat?.close());
  const record = openAuditLog(auditFolder(config.backupDir), { now, log });
  opened.defer(() => record.close());
  const refusedJobs = recordRefusedJobs(record.record, log);
  opened.defer(() => refusedJobs.close());
  const site = await openSite(config, now);
  opened.defer(() => site.close());
  warnAbout(config, log);
  const key = siteJobKey(config.backupDir);
  const queues = openQueues(redis, key, measuring.tracing);
  opened.defer(() => closeQueues(queues));
  await removeOldSchedulers(queues);
  const limit = createDumpLimit(openDumpSlots(config), (ids) => promoteDumps(queues, ids), log);
  opened.defer(() => limit.close());
  const handlers = stageHandlers({ site: { ...site, record: record.record }, history: record, limit, queues });
  const concurrency = {
    ...config.worker.concurrency,
    maintenance: Math.max(LEAST_MAINTENANCE, config.tiers.length, config.worker.concurrency.maintenance),
  };
  const workers: RunningWorker[] = [];
  const closeWorkers = async () => void (await Promise.all(workers.map((worker) => worker.close(grace * 1000))));
  opened.defer(closeWorkers);
  for (const name of config.worker.queues) {
    workers.push(
      startWorker(redis, name, { ...config.worker, concurrency }, log, handlers[name], {
        ...measuring,
        key,
        onRefused: (job) => refusedJobs.refused(job),
      }),
    );
  }
  // The scheduler looks again in seconds: it waits for no server.
  const databases = watchDatabases(() => knownDatabases(config), log, 0);
  const scheduler = startScheduler({
    limits: config.limits,
    tiers: config.tiers,
    databases: async () => (await databases()).databases,
    queue: scheduleQueue(queues, redis),
    history: record,
    running: () => listSlotRuns(config),
    now,
    tickMs,
    log,
  });
  opened.defer(() => scheduler.close());
  heartbeat = startHeartbeat(config, {
    service: "worker",
    queues: config.worker.queues,
    schedulesLookedAt: () => scheduler.lookedAt(),
    redisDrift: redisDrift(redis),
  });
  await Promise.all(workers.map((worker) => worker.ready()));
  log.info({ queues: config.worker.queues, tiers: config.tiers.map((tier) => tier.name) }, "worker ready");
  const running = opened.move();
  let closing: Promise<void> | null = null;
  return {
    isHealthy: async () => workers.every((worker) => worker.isRunning()) && (await redisAnswers(redis)),
    async close(graceSeconds = config.worker.graceSeconds) {
      grace = graceSeconds;
      if (closing === null) return (closing = running.disposeAsync());
      await closeWorkers(); // once more, with the shorter grace
      return closing;
    },
  };
}

/** Reported at start, while later a worker waits for a Redis that is away. */
async function checkReachable(redisUrl: string): Promise<void> {
  const redis = connectRedis(redisUrl, "fail-fast");
  try {
    await checkRedis(redis, redisUrl);
  } finally {
    redis.disconnect();
  }
}

function warnAbout(config: Config, log: Logger): void {
  for (const warning of config.warnings) log.warn(warning);
  if (config.encryption.mode === "none") log.warn("BACKUP_ENCRYPTION=none: backups are stored in plaintext");
  if (config.spoolMemory === null && config.spoolDir.startsWith(config.backupDir)) {
    log.warn(
      { spool: config.spoolDir },
      "the spool is on a disk, so plaintext touches it: set BACKUP_SPOOL_DIR to a tmpfs",
    );
  }
  if (config.tiers.some((tier) => tier.kind === "sftp") && !sshNativeAddonLoaded()) {
    log.warn("ssh2's native addon is not loaded: SFTP needs about twice the CPU; run node scripts/build-native.mjs");
  }
}
