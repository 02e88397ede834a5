import { runService, startGenerations, startWorkers } from "@trivault/cluster";
import { TrivaultError } from "@trivault/core";

await runService("worker", (config, log) => {
  const { redisUrl } = config;
  if (redisUrl !== null) return startGenerations(config, (each) => startWorkers(each, redisUrl, log), log);
  throw new TrivaultError(
    "CONFIG_INVALID",
    "REDIS_URL is not set: a worker of its own takes its jobs from a Redis that it shares with the API. On a single machine use `npm start`, which runs everything and needs no Redis of yours.",
    { permanent: true },
  );
});
