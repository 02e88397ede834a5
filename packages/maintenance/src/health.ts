import type { AuditLog } from "@trivault/audit";
import { siteTrust } from "@trivault/backup";
import { type Config, type DatabaseConfig, timeOfBackupId } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { checkBudget } from "./budget.ts";
import { checkDatabase } from "./health-databases.ts";
import { diskUsage } from "./health-disk-usage.ts";
import { copyName, type History, readHistory } from "./health-history.ts";
import type { HealthReport, TierHealth } from "./health-report.ts";
import { readInventories } from "./inventory-cache.ts";
import { isFresh } from "./inventory-freshness.ts";
import type { Inventory } from "./inventory.ts";
import { readTierState } from "./maintain-state.ts";
import { loadMarks } from "./marks.ts";
import { planSite } from "./plan-site.ts";
import { scanAll } from "./scan.ts";

/** An inventory that is older than so many rounds of maintenance means that nobody maintains: then the tier is asked. */
const FRESH_FOR_ROUNDS = 2;

export interface HealthDeps {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly now: () => Date;
  /** Configured and discovered. */
  readonly databases: readonly DatabaseConfig[];
  readonly audit: Pick<AuditLog, "query">;
  readonly signal: AbortSignal;
  /** Ask the tiers themselves, whatever was cached. */
  readonly fresh?: boolean;
}

/** What is known of a tier: its inventory, be it an old one where it cannot be reached. */
interface SeenTier {
  readonly inventory: Inventory | null;
  readonly unreachable: { readonly since: Date | null; readonly reason: string } | null;
}

/** Whether every database is where it shall be, from what maintenance found; tiers are asked where that is too old. */
export async function backupHealth(deps: HealthDeps): Promise<HealthReport> {
  const { config, databases } = deps;
  const now = deps.now();
  const seen = await seeTiers(deps);
  const inventories = [...seen.values()].map(({ inventory }) => inventory).filter((inventory) => inventory !== null);
  const unknownTiers = config.tiers.map(({ name }) => name).filter((name) => isUnknown(seen.get(name)));
  const marks = await loadMarks(config);
  const { plans } = planSite({ config, databases, inventories, unknownTiers, marks, now });
  const lacking = [...plans.values()].flatMap(({ decisions }) => decisions.filter(({ action }) => action === "copy"));
  const copies = new Set(lacking.map(({ backupId, tier }) => copyName(backupId, tier)));
  const local = config.tiers[0]?.name ?? "local";
  const names = databases.map(({ name }) => name);
  const history = await readHistory(deps.audit, { databases: names, copies, local }, now);
  const checked = databases.map((database) =>
    checkDatabase(database, {
      inventories,
      unknownTiers: new Set(unknownTiers),
      lacking,
      lastRun: history.lastRuns.get(database.name) ?? null,
      // As the scheduler: one database alone is not spread.
      spreadSeconds: databases.length > 1 ? config.limits.spreadSeconds : 0,
      now,
    }),
  );
  const tiers = config.tiers.map((tier) => tierHealth(tier, seen.get(tier.name)));
  const backupsOn = (wanted: (tier: Config["tiers"][number], index: number) => boolean) =>
    countComplete(inventories, new Set(config.tiers.filter(wanted).map(({ name }) => name)));
  return {
    localBackups: backupsOn((_, index) => index === 0),
    remoteBackups: backupsOn(({ kind }, index) => index > 0 && kind !== "s3"),
    cloudBackups: backupsOn(({ kind }) => kind === "s3"),
    lastSyncTime: (history.lastCopyAt ?? newestBeyond(inventories, local))?.toISOString() ?? null,
    syncStatus: syncStatus(tiers, copies, history),
    diskUsage: diskUsage(config, inventories),
    ok: checked.length > 0 && checked.every(({ ok }) => ok),
    databases: checked,
    tiers,
  };
}

async function seeTiers({ config, tiers, now, signal, fresh = false }: HealthDeps): Promise<Map<string, SeenTier>> {
  const cached = new Map((await readInventories(config)).map((inventory) => [inventory.tier, inventory]));
  const seen = new Map<string, SeenTier>();
  const toScan: Tier[] = [];
  for (const tier of tiers) {
    const inventory = cached.get(tier.name) ?? null;
    const { unreachableSince: since, reason, seenAt } = await readTierState(config, tier.name);
    const recent = !fresh && seenAt !== null && isFresh({ scannedAt: seenAt }, { config, now }, FRESH_FOR_ROUNDS);
    if (recent && since !== null) seen.set(tier.name, { inventory, unreachable: { since, reason: reason ?? "" } });
    else if (!fresh && inventory && isFresh(inventory, { config, now }, FRESH_FOR_ROUNDS)) {
      seen.set(tier.name, { inventory, unreachable: null });
    } else toScan.push(tier);
  }
  if (toScan.length > 0) {
    const scanned = await scanAll({ config, now }, toScan, { signal, trust: await siteTrust({ config }) });
    for (const inventory of scanned.inventories) seen.set(inventory.tier, { inventory, unreachable: null });
    for (const { tier, reason } of scanned.unreachable) {
      const { unreachableSince: since } = await readTierState(config, tier);
      seen.set(tier, { inventory: cached.get(tier) ?? null, unreachable: { since, reason } });
    }
  }
  return new Map(config.tiers.flatMap(({ name }) => (seen.has(name) ? [[name, seen.get(name) as SeenTier]] : [])));
}

function isUnknown(seen: SeenTier | undefined): boolean {
  return !seen?.inventory || seen.unreachable !== null;
}

function tierHealth(tier: Config["tiers"][number], seen: SeenTier | undefined): TierHealth {
  const { inventory = null, unreachable = null } = seen ?? {};
  const count = { complete: 0, damaged: 0, untrusted: 0, partial: 0 };
  for (const { state } of inventory?.copies ?? []) count[state]++;
  return {
    name: tier.name,
    kind: tier.kind,
    reachable: seen !== undefined && unreachable === null,
    unreachableSince: unreachable?.since?.toISOString() ?? null,
    problem: unreachable?.reason ?? null,
    scannedAt: inventory?.scannedAt.toISOString() ?? null,
    ...count,
    bytes: (inventory?.copies ?? []).reduce((sum, { bytes }) => sum + bytes, 0),
    free: inventory?.capacity?.free ?? null,
    total: inventory?.capacity?.total ?? null,
    overBudget: inventory !== null && checkBudget(tier, inventory).message !== null,
  };
}

function syncStatus(
  tiers: readonly TierHealth[],
  lacking: ReadonlySet<string>,
  { failedCopies }: History,
): HealthReport["syncStatus"] {
  if (failedCopies.size > 0 || tiers.some(({ reachable }) => !reachable)) return "failed";
  return lacking.size > 0 ? "pending" : "success";
}

function countComplete(inventories: readonly Inventory[], tiers: ReadonlySet<string>): number {
  const copies = inventories.filter(({ tier }) => tiers.has(tier)).flatMap((inventory) => inventory.copies);
  return new Set(copies.filter(({ state }) => state === "complete").map(({ backupId }) => backupId)).size;
}

/** For a site whose record is young: when the newest backup on another tier was begun. */
function newestBeyond(inventories: readonly Inventory[], local: string): Date | null {
  const ids = inventories
    .filter(({ tier }) => tier !== local)
    .flatMap(({ copies }) => copies.filter(({ state }) => state === "complete").map(({ backupId }) => backupId));
  const newest = ids.reduce((a, b) => (a > b ? a : b), "");
  return newest === "" ? null : timeOfBackupId(newest);
}
