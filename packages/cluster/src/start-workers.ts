import {
  copyStage,
  dumpStage,
  encryptStage,
  giveUp,
  maintenanceStage,
  type NextStage,
  settlePrevious,
  type StageContext,
} from "@trivault/backup";
import { type Config, isBackupId, type Logger, messageOf, newBackupId, type QueueName } from "@trivault/core";
import {
  checkRedis,
  closeQueues,
  connectRedis,
  copyJobSchema,
  copyQueueOf,
  dumpJobSchema,
  encryptJobSchema,
  ensureSchedules,
  type Handler,
  type JobContext,
  openQueues,
  parseJob,
  type Queues,
  startCopy,
  startEncrypt,
  startMaintenance,
  startWorker,
} from "@trivault/queue";
import { sshNativeAddonLoaded } from "@trivault/storage";
import { openSite, type OpenSite } from "./open-site.ts";

/** A wiped Redis gets its schedules back within this time. */
const SCHEDULES_EVERY_MS = 60_000;

export interface RunningWorkers {
  /** Lets running jobs finish for the configured grace, hands back what is left, and closes everything. Idempotent. */
  close(): Promise<void>;
}

/** Takes jobs of the configured queues until closed. Throws where Redis is unsafe or unreachable, or a setting unusable. */
export async function startWorkers(config: Config, redisUrl: string, log: Logger): Promise<RunningWorkers> {
  await checkReachable(redisUrl);
  const redis = connectRedis(redisUrl, "wait");
  try {
    const site = await openSite(config);
    warnAbout(config, log);
    const queues = openQueues(redis);
    const handlers = stageHandlers(site, queues);
    const workers = config.worker.queues.map((name) => startWorker(redis, name, config.worker, log, handlers[name]));
    const keepSchedules = async () => {
      await ensureSchedules(queues, config.databases).catch((error: unknown) =>
        log.warn({ err: error }, "schedules could not be checked"),
      );
    };
    await keepSchedules();
    await startMaintenance(queues);
    const timer = setInterval(() => void keepSchedules(), SCHEDULES_EVERY_MS);
    log.info({ queues: config.worker.queues, tiers: config.tiers.map((tier) => tier.name) }, "worker ready");
    let closing: Promise<void> | null = null;
    const close = async () => {
      clearInterval(timer);
      await Promise.all(workers.map((worker) => worker.close(config.worker.graceSeconds * 1000)));
      await closeQueues(queues);
      await site.close();
      redis.disconnect();
    };
    return { close: () => (closing ??= close()) };
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

function stageHandlers(site: OpenSite, queues: Queues): Record<QueueName, Handler> {
  const start = async (next: NextStage) => {
    if (next.stage === "encrypt") return startEncrypt(queues, { database: next.database, backupId: next.backupId });
    const { database, backupId, from, to } = next;
    const tier = site.tiers.find((candidate) => candidate.name === to);
    return startCopy(queues, copyQueueOf(tier?.kind ?? "sftp"), { database, backupId, from, to });
  };
  const contextOf = (context: JobContext): StageContext => ({ ...context, start });
  const copy = (queue: QueueName): Handler => ({
    run: (data, context) => copyStage(site, parseJob(copyJobSchema, queue, data), contextOf(context)),
  });
  return {
    dump: {
      async run(data, context, job) {
        const { database, current, requestedBy } = parseJob(dumpJobSchema, "dump", data);
        if (current !== undefined && (await settlePrevious(site, { database, backupId: current })) === "dumped") {
          await start({ stage: "encrypt", database, backupId: current });
          return { database, backupId: current };
        }
        const backupId = current === undefined && isBackupId(job.id) ? job.id : newBackupId(site.now());
        await job.update({ database, requestedBy, current: backupId });
        return dumpStage(site, { database, backupId }, contextOf(context));
      },
    },
    encrypt: {
      run: (data, context) => encryptStage(site, parseJob(encryptJobSchema, "encrypt", data), contextOf(context)),
      failed: (data, error) => giveUp(site, parseJob(encryptJobSchema, "encrypt", data), messageOf(error)),
    },
    "remote-sync": copy("remote-sync"),
    "cloud-upload": copy("cloud-upload"),
    maintenance: { run: (_data, context) => maintenanceStage(site, contextOf(context)) },
  };
}

function warnAbout(config: Config, log: Logger): void {
  for (const warning of config.warnings) log.warn(warning);
  if (config.encryption.mode === "none") log.warn("BACKUP_ENCRYPTION=none: backups are stored in plaintext");
  if (config.spoolDir.startsWith(config.backupDir)) {
    log.warn(
      { spool: config.spoolDir },
      "the spool is on a disk, so plaintext touches it: set BACKUP_SPOOL_DIR to a tmpfs",
    );
  }
  if (config.tiers.some((tier) => tier.kind === "sftp") && !sshNativeAddonLoaded()) {
    log.warn("ssh2's native addon is not loaded: SFTP needs about twice the CPU; run node scripts/build-native.mjs");
  }
}
