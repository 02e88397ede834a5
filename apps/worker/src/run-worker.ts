import { VERSION } from "@trivault/backup";
import { runService, startGenerations, startWorkers } from "@trivault/cluster";
import { type Config, type Logger, TrivaultError } from "@trivault/core";
import { createProcessMetrics } from "@trivault/metrics";
import { startTracing } from "@trivault/queue";
import { startMetricsServer } from "./metrics-server.ts";

await runService("worker", async (config, log) => {
  const { redisUrl } = config;
  if (redisUrl !== null) return start(config, redisUrl, log);
  throw new TrivaultError(
    "CONFIG_INVALID",
    "REDIS_URL is not set: a worker of its own takes its jobs from a Redis that it shares with the API. On a single machine use `npm start`, which runs everything and needs no Redis of yours.",
    { permanent: true },
  );
});

async function start(config: Config, redisUrl: string, log: Logger) {
  const metrics = createProcessMetrics(VERSION);
  metrics.takesJobs(config.worker.queues);
  const tracing = await startTracing("trivault-worker", VERSION, log);
  const watched = { onJob: metrics.onJob, tracing };
  const workers = await startGenerations(config, (each) => startWorkers(each, redisUrl, log, watched), log);
  try {
    const where = config.worker.metrics;
    const server = where && (await startMetricsServer(where, { metrics, isHealthy: () => workers.isHealthy(), log }));
    return {
      reload: (changed: Config) => workers.reload(changed),
      // It answers as long as running jobs take their grace.
      async close(graceSeconds?: number) {
        await workers.close(graceSeconds);
        await server?.close();
        await tracing?.close();
      },
    };
  } catch (error) {
    await workers.close();
    throw error;
  }
}
