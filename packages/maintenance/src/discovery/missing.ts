import { type Config, findDatabase } from "@trivault/core";
import type { KnownDatabases } from "@trivault/site";

/** The names that a server's patterns match, although that server has no such database. */
export function missing(
  config: Pick<Config, "databases" | "servers">,
  { databases, unknownServers, leftOut }: Pick<KnownDatabases, "databases" | "unknownServers" | "leftOut">,
  names: Iterable<string>,
): string[] {
  const there = new Set([...databases.map(({ name }) => name), ...leftOut.map(({ database }) => database)]);
  const unknown = config.servers.filter(({ name }) => unknownServers.includes(name));
  return [...names].filter((name) => {
    if (there.has(name) || unknown.some((server) => name.startsWith(`${server.name}.`))) return false;
    return findDatabase(config, name) !== null;
  });
}
