import { background, type Logger, messageOf } from "@trivault/core";
import type { KnownDatabases } from "./discovery.ts";

/**
 * All databases, those that servers are asked for too, for a caller that asks again and again. A server that does not answer
 * holds up the first answer alone: later ones wait `patienceMs` at most, and are then those of the time before. What could not
 * be asked is logged once, and again when its reason changes.
 */
export function watchDatabases(
  ask: () => Promise<KnownDatabases>,
  log: Logger,
  patienceMs: number,
): () => Promise<KnownDatabases> {
  let known: KnownDatabases | null = null;
  let asking: Promise<KnownDatabases> | null = null;
  const logProblems = problemLogger(log);
  const askNow = async () => {
    try {
      const found = await ask();
      logProblems(found);
      known = found;
      return found;
    } catch (error) {
      if (known === null) throw error;
      log.warn({ reason: messageOf(error) }, "the databases could not be asked for; those of the last answer are used");
      return known;
    }
  };
  return async () => {
    asking ??= background(
      askNow().finally(() => {
        asking = null;
      }),
    );
    const before = known;
    if (before === null) return asking;
    const late = Promise.withResolvers<KnownDatabases>();
    const timer = setTimeout(() => late.resolve(before), patienceMs);
    try {
      return await Promise.race([asking, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function problemLogger(log: Logger): (found: Pick<KnownDatabases, "problems">) => void {
  const reasons = new Map<string, string>();
  return ({ problems }) => {
    for (const { server, reason } of problems) {
      if (reasons.get(server) !== reason) log.warn({ server, reason }, "a server could not be asked for databases");
      reasons.set(server, reason);
    }
    for (const server of reasons.keys()) if (!problems.some((one) => one.server === server)) reasons.delete(server);
  };
}
