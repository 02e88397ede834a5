import { background, type Config, type DatabaseConfig, type Logger } from "@trivault/core";
import { type DiscoveryProblem, knownDatabases } from "@trivault/site";

/**
 * All databases there are, for a caller that asks every few seconds: the first answer is waited for, later ones are those of
 * the time before while newer ones are fetched, so that a server that does not answer holds up nobody.
 */
export function databaseList(config: Config, log: Logger): () => Promise<readonly DatabaseConfig[]> {
  let current: readonly DatabaseConfig[] | null = null;
  let fetching: Promise<void> | null = null;
  const logProblems = problemLog(log);
  const fetchList = async () => {
    try {
      const { databases, problems } = await knownDatabases(config);
      logProblems(problems);
      current = databases;
    } finally {
      fetching = null;
    }
  };
  return async () => {
    const fetched = background((fetching ??= fetchList()));
    if (current === null) await fetched;
    else fetched.catch((error: unknown) => log.warn({ err: error }, "databases could not be listed"));
    return current ?? [];
  };
}

function problemLog(log: Logger): (problems: readonly DiscoveryProblem[]) => void {
  let logged = "[]";
  return (problems) => {
    const now = JSON.stringify(problems);
    if (now !== logged && problems.length > 0) log.warn({ problems }, "servers whose databases cannot be listed now");
    logged = now;
  };
}
