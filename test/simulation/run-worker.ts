import { startWorkers } from "@trivault/cluster";
import { createLogger, resolveConfig } from "@trivault/core";
import { collectShortLivedBuffers } from "@trivault/storage";
import { readClock } from "../support/simulated-clock.ts";

/** A worker as apps/worker starts it, but for its clock. */
collectShortLivedBuffers();
const config = resolveConfig(process.env, "backup");
const now = readClock(process.env["SIMULATION_CLOCK"] ?? "");
const workers = await startWorkers(config, config.redisUrl ?? "", createLogger(config.logLevel, "worker"), {
  now,
  tickMs: 250,
});
process.once("SIGTERM", () => void workers.close().then(() => process.exit(0)));
