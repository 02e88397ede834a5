import { background, type Config, LateError, type Logger, messageOf, within } from "@trivault/core";
import { type KnownDatabases, knownDatabases } from "@trivault/site";

/** What is known already is waited for no longer than this. */
const PATIENCE_MS = 2000;

/**
 * All databases, those that servers are asked for too. A server that does not answer holds up the first look alone: later
 * ones go on with what was known.
 */
export function watchDatabases(config: Config, log: Logger): () => Promise<KnownDatabases> {
  let known: KnownDatabases | null = null;
  let asking: Promise<KnownDatabases> | null = null;
  const logged = new Map<string, string>();
  const ask = async () => {
    const found = await knownDatabases(config);
    const { problems } = found;
    for (const { server, reason } of problems) {
      if (logged.get(server) !== reason) log.warn({ server, reason }, "a server could not be asked for databases");
      logged.set(server, reason);
    }
    for (const server of logged.keys()) if (!problems.some((one) => one.server === server)) logged.delete(server);
    known = found;
    return found;
  };
  return async () => {
    asking ??= background(
      ask().finally(() => {
        asking = null;
      }),
    );
    const before = known;
    if (before === null) return asking;
    try {
      return await within(PATIENCE_MS, asking);
    } catch (error) {
      if (error instanceof LateError) return before;
      log.warn({ reason: messageOf(error) }, "the databases could not be asked for; those known are looked at");
      return before;
    }
  };
}
