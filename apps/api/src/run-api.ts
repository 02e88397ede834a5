import { VERSION } from "@trivault/backup";
import { runService } from "@trivault/cluster";
import type { Config, Logger } from "@trivault/core";
import { createProcessMetrics } from "@trivault/metrics";
import { privateRedisUrl, startTracing } from "@trivault/queue";
import { startApi } from "./serve.ts";

/** Without REDIS_URL the queue is that of `npm start`, if it runs; where there is none, everything else works. */
await runService("api", async (config, log) =>
  start(config, config.redisUrl ?? (await privateRedisUrl(config.backupDir)), log),
);

async function start(config: Config, redisUrl: string, log: Logger) {
  const tracing = await startTracing("trivault-api", VERSION, log);
  const api = await startApi(config, redisUrl, log, { processMetrics: createProcessMetrics(VERSION), tracing });
  // To whoever started us as a child: `trivault monitor start`.
  process.send?.({ url: api.url, firstTokenFile: api.firstTokenFile });
  return {
    reload: async (changed: Config) => (await api.prepare(changed)).apply(),
    async close() {
      await api.close();
      await tracing?.close();
    },
  };
}
