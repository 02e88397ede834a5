import { runService, startGenerations, startWorkers } from "@trivault/cluster";
import { VERSION } from "@trivault/backup";
import type { Config } from "@trivault/core";
import { createProcessMetrics } from "@trivault/metrics";
import { startPrivateRedis, startTracing } from "@trivault/queue";
import { BACKUPS_PATH, BOARD_PATH } from "./links.ts";
import { startApi } from "./serve.ts";

/**
 * Everything on one machine: the API, all workers, and a Redis of our own where none is configured. Closed in the reverse
 * order of need: workers first (they may take their grace, in which the API still shows their progress), Redis last.
 */
await runService("trivault", async (config, log) => {
  const running: { close(graceSeconds?: number): Promise<void> }[] = [];
  const close = async (graceSeconds?: number) => {
    for (const part of running.splice(0)) await part.close(graceSeconds);
  };
  try {
    let { redisUrl } = config;
    if (redisUrl === null) {
      const redis = await startPrivateRedis(config.backupDir, log);
      running.unshift({ close: () => redis.stop() });
      redisUrl = redis.url;
    }
    const url = redisUrl;
    const metrics = createProcessMetrics(VERSION);
    const tracing = await startTracing("trivault", VERSION, log);
    if (tracing) running.unshift(tracing);
    const api = await startApi(config, url, log, { processMetrics: metrics, tracing });
    running.unshift(api);
    const watched = { onJob: metrics.onJob, tracing };
    metrics.takesJobs(config.worker.queues);
    const workers = await startGenerations(config, (each) => startWorkers(each, url, log, watched), log);
    running.unshift(workers);
    process.stdout.write(
      `Trivault is up.\n  Dashboard   ${api.url}/\n  API         ${api.url}${BACKUPS_PATH}\n  Bull Board  ${api.url}${BOARD_PATH}\n` +
        (api.firstTokenFile === null ? "" : `  Admin token ${api.firstTokenFile} (its first visit asks for it)\n`),
    );
    const reload = async (changed: Config) => {
      const prepared = await api.prepare(changed);
      try {
        await workers.reload(changed);
      } catch (error) {
        await prepared.discard();
        throw error;
      }
      prepared.apply();
    };
    return { reload, close };
  } catch (error) {
    await close();
    throw error;
  }
});
