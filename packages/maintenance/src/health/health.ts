import type { AuditLog } from "@trivault/audit";
import { siteTrust } from "@trivault/backup/look";
import type { Config, DatabaseConfig } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { createHealthCheck, type SeenTier } from "./check.ts";
import { readHistory } from "./history.ts";
import type { DiscoveryNews } from "./orphans.ts";
import type { HealthReport } from "./report.ts";
import { type Holdings, holdingsOf } from "../inventory/holdings.ts";
import { isFresh } from "../inventory/freshness.ts";
import { createInventoryReader } from "../inventory/reader.ts";
import { readTierState } from "../inventory/tier-state.ts";
import { loadMarks } from "../plan/marks.ts";
import { readOnlyReason } from "./read-only.ts";
import { scanAll } from "../inventory/scan.ts";

/** An inventory that is older than so many rounds of maintenance means that nobody maintains: then the tier is asked. */
export const FRESH_FOR_ROUNDS = 2;

export interface HealthDeps {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly now: () => Date;
  /** Configured and discovered. */
  readonly databases: readonly DatabaseConfig[];
  readonly news?: DiscoveryNews | undefined;
  /** Report of this database alone. */
  readonly only?: string | undefined;
  readonly audit: Pick<AuditLog, "query">;
  readonly signal: AbortSignal;
  /** Ask the tiers themselves, whatever was cached. */
  readonly fresh?: boolean;
}

/** Whether every database is where it shall be, from what maintenance found; tiers are asked where that is too old. */
export async function backupHealth(deps: HealthDeps): Promise<HealthReport> {
  const { config, databases, news, only, audit } = deps;
  const now = deps.now();
  const look = createHealthCheck(config)({
    databases,
    seen: await seeTiers(deps),
    marks: await loadMarks(config),
    news,
    only,
    now,
  });
  const wanted = {
    databases: databases.map(({ name }) => name),
    copies: look.lacking,
    local: config.tiers[0]?.name ?? "local",
  };
  return look.report(await readHistory(audit, wanted, now));
}

async function seeTiers({ config, tiers, now, signal, fresh = false }: HealthDeps): Promise<Map<string, SeenTier>> {
  const cached = new Map<string, Holdings | null>();
  for (const { name } of config.tiers) cached.set(name, await createInventoryReader(config, name).read());
  const seen = new Map<string, SeenTier>();
  const toScan: Tier[] = [];
  for (const tier of tiers) {
    const held = cached.get(tier.name) ?? null;
    const { unreachableSince: since, reason, seenAt } = await readTierState(config, tier.name);
    const recent = !fresh && seenAt !== null && isFresh({ scannedAt: seenAt }, { config, now }, FRESH_FOR_ROUNDS);
    if (recent && since !== null) seen.set(tier.name, seenWith(held, { since, reason: reason ?? "" }));
    else if (!fresh && held && isFresh(held, { config, now }, FRESH_FOR_ROUNDS)) {
      seen.set(tier.name, seenWith(held));
    } else toScan.push(tier);
  }
  if (toScan.length > 0) {
    const scanned = await scanAll({ config, now }, toScan, { signal, trust: await siteTrust({ config }) });
    for (const inventory of scanned.inventories) seen.set(inventory.tier, seenWith(holdingsOf(inventory)));
    for (const { tier, reason } of scanned.unreachable) {
      const { unreachableSince: since } = await readTierState(config, tier);
      seen.set(tier, seenWith(cached.get(tier) ?? null, { since, reason }));
    }
  }
  await noteReadOnly(config, seen);
  return new Map(config.tiers.flatMap(({ name }) => (seen.has(name) ? [[name, seen.get(name) as SeenTier]] : [])));
}

/** Its backups are there to be read; no other is made. */
async function noteReadOnly(config: Config, seen: Map<string, SeenTier>): Promise<void> {
  const local = config.tiers[0]?.name ?? "local";
  const known = seen.get(local);
  const reason = known?.unreachable === null ? await readOnlyReason(config) : null;
  if (known && reason !== null) seen.set(local, { ...known, unreachable: { since: null, reason } });
}

function seenWith(holdings: Holdings | null, unreachable: SeenTier["unreachable"] = null): SeenTier {
  return { holdings, unreachable };
}
