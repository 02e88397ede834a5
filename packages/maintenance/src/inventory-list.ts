import { type BackupList, listBackups, type ListedCopy, type BackupRef, summariseBackups } from "@trivault/backup";
import type { Config, CopyState } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { nameOf, readInventory } from "./inventory-cache.ts";
import { isFresh } from "./inventory-freshness.ts";
import { readTierState } from "./maintain-state.ts";

const FRESH_FOR_ROUNDS = 2;

export interface ListOptions {
  readonly signal: AbortSignal;
  /** Ask every tier itself. */
  readonly fresh?: boolean;
  readonly database?: string | undefined;
}

interface ListSite {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly now: () => Date;
}

/**
 * All backups on all tiers (or those of one database). The local tier is listed as it is now; of the others it is told what
 * maintenance found and what was done since, and where that is too old they are asked themselves. A copy that is listed and
 * that maintenance found bad, or could not read, is shown as that.
 */
export async function listSite(site: ListSite, { signal, fresh = false, database }: ListOptions): Promise<BackupList> {
  const [local, ...others] = site.tiers;
  const live: Tier[] = local ? [local] : [];
  const known: (BackupRef & ListedCopy)[] = [];
  const unreachable: { tier: string; reason: string }[] = [];
  for (const tier of others) {
    const found = fresh ? null : await readKnown(site, tier.name);
    if (found === null) live.push(tier);
    else if ("reason" in found) unreachable.push({ tier: tier.name, reason: found.reason });
    else known.push(...found.copies.filter((copy) => database === undefined || copy.database === database));
  }
  const listed = await listBackups(live, database, signal);
  const bad = await knownBad(site.config, live);
  if (known.length === 0 && unreachable.length === 0 && bad.size === 0) return listed;
  const now = listed.backups.flatMap(({ id, database: name, copies }) =>
    copies.map((copy) => {
      const state = copy.complete ? (bad.get(`${copy.tier}/${name}/${id}`) ?? copy.state) : copy.state;
      return { database: name, backupId: id, ...copy, state, complete: state === "complete" };
    }),
  );
  const order = new Map(site.tiers.map(({ name }, index) => [name, index]));
  const place = ({ tier }: { tier: string }) => order.get(tier) ?? 0;
  return {
    backups: summariseBackups([...now, ...known].toSorted((a, b) => place(a) - place(b))),
    unreachable: [...listed.unreachable, ...unreachable].toSorted((a, b) => place(a) - place(b)),
  };
}

/** A listing shows that a copy has a manifest; that it is damaged, untrusted or unreadable is what maintenance found. */
async function knownBad(config: Config, tiers: readonly Tier[]): Promise<Map<string, CopyState>> {
  const found = await Promise.all(tiers.map(({ name }) => readInventory(config, name)));
  return new Map(
    found
      .filter((inventory) => inventory !== null)
      .flatMap(({ tier, copies }) =>
        copies
          .filter(({ state }) => state !== "complete" && state !== "partial")
          .map((copy) => [`${tier}/${nameOf(copy)}`, copy.state] as const),
      ),
  );
}

/** What maintenance found lately; null where nobody looked for some time. */
async function readKnown(
  site: ListSite,
  tier: string,
): Promise<{ copies: (BackupRef & ListedCopy)[] } | { reason: string } | null> {
  const { unreachableSince, reason, seenAt } = await readTierState(site.config, tier);
  if (unreachableSince !== null && seenAt !== null && isFresh({ scannedAt: seenAt }, site, FRESH_FOR_ROUNDS)) {
    return { reason: reason ?? "" };
  }
  const inventory = await readInventory(site.config, tier);
  if (inventory === null || !isFresh(inventory, site, FRESH_FOR_ROUNDS)) return null;
  return {
    copies: inventory.copies.map(({ database, backupId, state, bytes }) => {
      return { tier, database, backupId, state, complete: state === "complete", bytes };
    }),
  };
}
