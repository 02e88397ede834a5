import { siteTrust } from "@trivault/backup";
import {
  loadMarks,
  type Marks,
  planSite,
  scanAll,
  type ScannedTiers,
  type SitePlan,
  knownDatabases,
} from "@trivault/maintenance";
import { type Config, type DatabaseConfig, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { say } from "../output.ts";

export interface SiteLook extends ScannedTiers {
  readonly plan: SitePlan;
  readonly databases: readonly DatabaseConfig[];
  readonly marks: Marks;
}

interface Place {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly now: () => Date;
}

/** Lists every tier as it is now, and plans what is to become of what lies there. What could not be asked is told. */
export async function lookAtSite(site: Place, signal: AbortSignal): Promise<SiteLook> {
  const trust = await siteTrust(site);
  const [scanned, known, marks] = await Promise.all([
    scanAll(site, site.tiers, { signal, trust }),
    knownDatabases(site.config),
    loadMarks(site.config),
  ]);
  signal.throwIfAborted();
  for (const { tier, reason } of scanned.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
  for (const { server, reason } of known.problems)
    say(`The server ${server} could not be asked for databases: ${reason}`);
  const plan = planSite({
    config: site.config,
    databases: known.databases,
    inventories: scanned.inventories,
    unknownTiers: scanned.unreachable.map(({ tier }) => tier),
    marks,
    now: site.now(),
  });
  return { ...scanned, plan, databases: known.databases, marks };
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
