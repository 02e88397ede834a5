import { runService } from "@trivault/cluster";
import { TrivaultError } from "@trivault/core";
import { startApi } from "./serve.ts";

await runService("api", (config, log) => {
  if (config.redisUrl !== null) return startApi(config, config.redisUrl, log);
  throw new TrivaultError(
    "CONFIG_INVALID",
    "REDIS_URL is not set: an API of its own hands its jobs to workers through a Redis that they share. On a single machine use `npm start`, which runs everything and needs no Redis of yours.",
    { permanent: true },
  );
});
