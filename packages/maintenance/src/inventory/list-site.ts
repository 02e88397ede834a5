import {
  type BackupList,
  type BackupRef,
  type Copy,
  listCopies,
  type ListedCopy,
  siteTrust,
  summariseBackups,
} from "@trivault/backup/look";
import { type Config, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { inDoubt, nameOf, readAllNotes, readCache, trustOf } from "./cache.ts";
import { isFresh } from "./freshness.ts";
import { createInventoryReader } from "./reader.ts";
import { readTierState } from "./tier-state.ts";
import { judgeAll, judgeUnread } from "./scan-manifests.ts";

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
 * All backups on all tiers (or those of one database). The local tier is listed as it is now; for the others it returns what
 * maintenance found and what was done since, and where that is too old they are asked themselves. Whatever was listed is
 * shown as what it is worth, as a scan would find it: a manifest alone, which anybody can have put there, makes no backup.
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
  const { trustedKeys } = await siteTrust(site);
  await Promise.all(
    live.map(async (tier) => {
      try {
        const listed = await listCopies(tier, database, signal);
        known.push(...(await judgeListed(site.config, tier, listed, { trustedKeys, signal })));
      } catch (error) {
        unreachable.push({ tier: tier.name, reason: messageOf(signal.aborted ? signal.reason : error) });
      }
    }),
  );
  const order = new Map(site.tiers.map(({ name }, index) => [name, index]));
  const place = ({ tier }: { tier: string }) => order.get(tier) ?? 0;
  return {
    backups: summariseBackups(known.toSorted((a, b) => place(a) - place(b))),
    unreachable: unreachable.toSorted((a, b) => place(a) - place(b)),
  };
}

/** What is known of each from the last scan; of those that are new, or were changed since, the manifest is read. */
async function judgeListed(
  config: Config,
  tier: Tier,
  listed: readonly Copy[],
  { trustedKeys, signal }: { readonly trustedKeys: readonly string[]; readonly signal: AbortSignal },
): Promise<(BackupRef & ListedCopy)[]> {
  const [cached, notes] = await Promise.all([readCache(config, tier.name), readAllNotes(config, tier.name)]);
  const scanned = cached?.trust === trustOf(trustedKeys) ? cached.inventory.copies : [];
  const known = new Map(scanned.map((copy) => [nameOf(copy), copy]));
  const judged = listed.map((copy) => {
    const unread = { ...copy, classes: {}, stamps: "" };
    return judgeUnread(unread, known.get(nameOf(copy))) ?? unread;
  });
  const toRead = judged.filter((copy) => !("state" in copy));
  const read = await judgeAll(tier, toRead, { known, trust: { trustedKeys }, signal });
  const found = new Map([...judged.filter((copy) => "state" in copy), ...read].map((copy) => [nameOf(copy), copy]));
  const [damaged, doubts] = [new Set(notes.damaged.map(nameOf)), new Map(notes.doubtful.map((n) => [nameOf(n), n]))];
  return [...found].map(([name, copy]) => {
    const isDamaged = copy.state === "complete" && damaged.has(name);
    const { state } = isDamaged ? { state: "damaged" as const } : inDoubt(copy, doubts.get(name));
    const { database, backupId, bytes } = copy;
    return { tier: tier.name, database, backupId, bytes, state, complete: state === "complete" };
  });
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
  const held = await createInventoryReader(site.config, tier).read();
  if (held === null || !isFresh(held, site, FRESH_FOR_ROUNDS)) return null;
  return {
    copies: [...held.copies.values()].flat().map(({ database, backupId, state, bytes }) => {
      return { tier, database, backupId, state, complete: state === "complete", bytes };
    }),
  };
}
