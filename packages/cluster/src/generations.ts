import { type Config, type Logger, messageOf } from "@trivault/core";
import type { RunningWorkers } from "./start-workers.ts";

/** For ever, in practice; what timers can hold. */
const NO_HURRY_SECONDS = 20 * 24 * 3600;

export interface Generations {
  /** Whether those of the newest configuration can take jobs. */
  isHealthy(): Promise<boolean>;
  /** Workers of the new configuration take the jobs from now on; those of the old one end when their jobs have. */
  reload(config: Config): Promise<void>;
  /** Closes all of them, the old ones too, within the grace that is configured or given. */
  close(graceSeconds?: number): Promise<void>;
}

/** Workers whose configuration may change while they run: a job ends under the configuration that it began under. */
export async function startGenerations(
  config: Config,
  start: (config: Config) => Promise<RunningWorkers>,
  log: Logger,
): Promise<Generations> {
  let current = await start(config);
  const ending = new Set<RunningWorkers>();
  return {
    isHealthy: () => current.isHealthy(),
    async reload(next) {
      const before = current;
      current = await start(next);
      ending.add(before);
      before
        .close(NO_HURRY_SECONDS)
        .catch((error: unknown) => log.error({ reason: messageOf(error) }, "old workers could not be closed"))
        .finally(() => ending.delete(before));
    },
    async close(graceSeconds) {
      await Promise.all([current, ...ending].map((workers) => workers.close(graceSeconds)));
    },
  };
}
