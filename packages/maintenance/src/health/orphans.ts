import type { Config } from "@trivault/core";
import type { KnownDatabases } from "@trivault/site";
import type { Orphan } from "./report.ts";
import { type Holdings, summaryOf } from "../inventory/holdings.ts";
import { missing } from "../discovery/missing.ts";

/** What discovery knows beside the databases that are there. */
export type DiscoveryNews = Pick<KnownDatabases, "gone" | "leftOut" | "unknownServers">;

export const NO_NEWS: DiscoveryNews = { gone: [], leftOut: [], unknownServers: [] };

/** What nobody backs up and that somebody should know of: gone databases, backups of none that is configured, what is left out. */
export function findOrphans(
  config: Pick<Config, "databases" | "servers">,
  {
    databases,
    news,
    holdings,
  }: {
    readonly databases: KnownDatabases["databases"];
    readonly news: DiscoveryNews;
    readonly holdings: readonly Holdings[];
  },
): Orphan[] {
  const configured = new Set(databases.map(({ name }) => name));
  const gone = new Map(news.gone.map((each) => [each.name, each]));
  const leftOut = new Map(news.leftOut.map((each) => [each.database, each]));
  const held = holdings.flatMap(({ copies }) => [...copies.keys()]).filter((name) => !configured.has(name));
  const lost = new Set(missing(config, { databases, ...news }, held));
  const unknown = (name: string) => news.unknownServers.some((server) => name.startsWith(`${server}.`));
  return [...new Set([...gone.keys(), ...leftOut.keys(), ...held])].toSorted().flatMap((name): Orphan[] => {
    const common = { name, ...heldOf(holdings, name) };
    const noted = gone.get(name);
    const restored = leftOut.get(name);
    if (restored !== undefined) {
      const { server, at: since } = restored;
      return [{ ...common, reason: "restored-into", server, since, acknowledged: null }];
    }
    if (noted !== undefined || lost.has(name)) {
      const server = noted?.server ?? config.servers.find((each) => name.startsWith(`${each.name}.`))?.name ?? null;
      const acknowledged = noted?.acknowledged ?? null;
      return [{ ...common, reason: "gone", server, since: noted?.since ?? null, acknowledged }];
    }
    if (unknown(name)) return [];
    return [{ ...common, reason: "not-configured", server: null, since: null, acknowledged: null }];
  });
}

function heldOf(holdings: readonly Holdings[], name: string): Pick<Orphan, "backups" | "bytes" | "newestBackupId"> {
  const ids = new Set<string>();
  let bytes = 0;
  for (const { copies } of holdings) {
    const those = copies.get(name) ?? [];
    bytes += summaryOf(those).bytes;
    for (const { state, backupId } of those) if (state === "complete") ids.add(backupId);
  }
  return { backups: ids.size, bytes, newestBackupId: [...ids].toSorted().at(-1) ?? null };
}
