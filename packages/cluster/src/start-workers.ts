import { auditFolder, openAuditLog } from "@trivault/audit";
import { listSlotRuns, openDumpSlots } from "@trivault/backup";
import { type Config, ensureStateFolder, type Logger } from "@trivault/core";
import { startHeartbeat } from "@trivault/maintenance";
import {
  checkRedis,
  closeQueues,
  connectRedis,
  openQueues,
  type QueueWorkerOptions,
  promoteDumps,
  redisAnswers,
  redisDrift,
  removeOldSchedulers,
  siteJobKey,
  startWorker,
} from "@trivault/queue";
import { sshNativeAddonLoaded } from "@trivault/storage";
import { databaseList } from "./database-list.ts";
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
  /** The time that slots, ids and the record go by; a simulation may let it run faster. */
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
  const redis = connectRedis(redisUrl, "wait");
  try {
    const site = await openSite(config, now);
    const record = openAuditLog(auditFolder(config.backupDir), { now, log });
    warnAbout(config, log);
    const key = siteJobKey(config.backupDir);
    const queues = openQueues(redis, key, measuring.tracing);
    const refusedJobs = recordRefusedJobs(record.record, log);
    const limit = createDumpLimit(openDumpSlots(config), (ids) => promoteDumps(queues, ids), log);
    const handlers = stageHandlers({ site: { ...site, record: record.record }, history: record, limit, queues });
    const concurrency = {
      ...config.worker.concurrency,
      maintenance: Math.max(LEAST_MAINTENANCE, config.tiers.length, config.worker.concurrency.maintenance),
    };
    const workers = config.worker.queues.map((name) =>
      startWorker(redis, name, { ...config.worker, concurrency }, log, handlers[name], {
        ...measuring,
        key,
        onRefused: refusedJobs.refused,
      }),
    );
    await removeOldSchedulers(queues);
    const scheduler = startScheduler({
      limits: config.limits,
      tiers: config.tiers,
      databases: databaseList(config, log),
      queue: scheduleQueue(queues, redis),
      history: record,
      running: () => listSlotRuns(config),
      now,
      tickMs,
      log,
    });
    const heartbeat = startHeartbeat(config, {
      service: "worker",
      queues: config.worker.queues,
      schedulesLookedAt: () => scheduler.lookedAt(),
      redisDrift: redisDrift(redis),
    });
    log.info({ queues: config.worker.queues, tiers: config.tiers.map((tier) => tier.name) }, "worker ready");
    let closing: Promise<void> | null = null;
    const close = async (workersClosed: Promise<unknown>) => {
      scheduler.close();
      await workersClosed;
      limit.close();
      await closeQueues(queues);
      await site.close();
      await refusedJobs.close();
      await record.close();
      await heartbeat.close();
      redis.disconnect();
    };
    return {
      isHealthy: async () => workers.every((worker) => worker.isRunning()) && (await redisAnswers(redis)),
      close(graceSeconds = config.worker.graceSeconds) {
        const workersClosed = Promise.all(workers.map((worker) => worker.close(graceSeconds * 1000)));
        return (closing ??= close(workersClosed));
      },
    };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** Told at start, while later a worker waits for a Redis that is away. */
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
