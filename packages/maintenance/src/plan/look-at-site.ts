import { siteTrust } from "@trivault/backup";
import { type Config, type DatabaseConfig, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { type DiscoveryProblem, knownDatabases } from "@trivault/site";
import { databasesOn } from "../inventory/freshness.ts";
import { missing } from "../discovery/missing.ts";
import { loadMarks, type Marks } from "./marks.ts";
import { planSite, type SitePlan } from "./plan-site.ts";
import { scanAll, type ScannedTiers } from "../inventory/scan.ts";

export interface SiteLook extends ScannedTiers {
  readonly plan: SitePlan;
  readonly databases: readonly DatabaseConfig[];
  readonly marks: Marks;
  /** Servers that could not be asked for databases. */
  readonly silentServers: readonly DiscoveryProblem[];
}

interface Place {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly now: () => Date;
}

/** Lists every tier as it is now, and plans what is to become of what lies there. */
export async function lookAtSite(site: Place, signal: AbortSignal): Promise<SiteLook> {
  const trust = await siteTrust(site);
  const [scanned, known, said] = await Promise.all([
    scanAll(site, site.tiers, { signal, trust }),
    knownDatabases(site.config),
    loadMarks(site.config),
  ]);
  signal.throwIfAborted();
  // As maintenance plans them: one that is gone still has its rules, by which it is healed, though nothing of it is deleted.
  const { config } = site;
  const found = databasesOn(config, scanned.inventories);
  const names = new Set(known.databases.map(({ name }) => name));
  const databases = [...known.databases, ...found.filter(({ name }) => !names.has(name))];
  const lost = missing(
    config,
    known,
    found.map(({ name }) => name),
  );
  const marks = { ...said, gone: new Set([...said.gone, ...lost]) };
  const plan = planSite({
    config,
    databases,
    inventories: scanned.inventories,
    unknownTiers: scanned.unreachable.map(({ tier }) => tier),
    marks,
    now: site.now(),
  });
  return { ...scanned, plan, databases, marks, silentServers: known.problems };
}

/** A database that is neither configured nor has backups is a slip of the pen. */
export function expectPlanned({ plan }: SiteLook, database: string): void {
  if (plan.plans.has(database)) return;
  const known = [...plan.plans.keys()].join(", ");
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(database)} is configured or has backups here${known === "" ? "" : `; there is ${known}`}.`,
    { permanent: true },
  );
}
