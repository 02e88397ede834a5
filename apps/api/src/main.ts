import { VERSION } from "@trivault/backup";
import { runService } from "@trivault/cluster";
import { type Config, type Logger, TrivaultError } from "@trivault/core";
import { createProcessMetrics } from "@trivault/metrics";
import { startTracing } from "@trivault/queue";
import { startApi } from "./serve.ts";

await runService("api", (config, log) => {
  if (config.redisUrl !== null) return start(config, config.redisUrl, log);
  throw new TrivaultError(
    "CONFIG_INVALID",
    "REDIS_URL is not set: an API of its own hands its jobs to workers through a Redis that they share. On a single machine use `npm start`, which runs everything and needs no Redis of yours.",
    { permanent: true },
  );
});

async function start(config: Config, redisUrl: string, log: Logger) {
  const tracing = await startTracing("trivault-api", VERSION, log);
  const api = await startApi(config, redisUrl, log, { processMetrics: createProcessMetrics(VERSION), tracing });
  return {
    reload: (changed: Config) => api.reload(changed),
    async close() {
      await api.close();
      await tracing?.close();
    },
  };
}
