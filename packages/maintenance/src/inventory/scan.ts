import { existsSync } from "node:fs";
import path from "node:path";
import { readNotes, removeNotes, type TierNote, type Trust, writeUsage } from "@trivault/backup/look";
import { type Config, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import {
  type CachedInventory,
  cacheIdentity,
  inDoubt,
  nameOf,
  type Notes,
  readAllNotes,
  readCache,
  trustOf,
  writeCache,
} from "./cache.ts";
import { lossesSince, noteLosses, withKnownState } from "./changes.ts";
import { hasChanged, type UnreadCopy, listTier } from "./listing.ts";
import type { Inventory, InventoryCopy } from "./inventory.ts";
import { judgeAll, judgeUnread } from "./scan-manifests.ts";
import { withSeenAt } from "./seen-at.ts";

export interface ScanSite {
  readonly config: Config;
  readonly now: () => Date;
}

export interface ScanOptions {
  readonly signal: AbortSignal;
  readonly trust: Pick<Trust, "trustedKeys">;
}

export interface Scan {
  readonly inventory: Inventory;
  /** Copies with segments that were written again since they were verified, or could not be read when they were to be. */
  readonly doubtful: readonly DoubtfulCopy[];
}

export interface DoubtfulCopy {
  readonly copy: InventoryCopy;
  /** Segments that could not be read the last time. */
  readonly files: readonly string[];
}

/**
 * Lists a tier whole and says of each copy what it is worth. Only manifests that are new or changed since the last scan
 * are read, and those that could not be read then; what was found is cached for the next one, and for all who ask. What was
 * lost since the last scan is kept for maintenance to record, so that whoever scans takes nothing from it. Throws where the
 * tier cannot be looked at.
 */
export async function scanTier(site: ScanSite, tier: Tier, { signal, trust }: ScanOptions): Promise<Scan> {
  const { config } = site;
  const fingerprint = trustOf(trust.trustedKeys);
  const identity = await cacheIdentity(config, tier.name);
  const [cached, notes] = await Promise.all([readCache(config, tier.name), readAllNotes(config, tier.name)]);
  const { arrived, deleted, damaged, doubtful } = notes;
  const scannedAt = site.now();
  const listed = await listTier(tier, signal);
  const known = new Map(cached?.inventory.copies.map((copy) => [nameOf(copy), copy]));
  const judged = new Map<string, InventoryCopy>();
  const toRead: UnreadCopy[] = [];
  for (const copy of listed) {
    const before = cached?.trust === fingerprint ? known.get(nameOf(copy)) : undefined;
    const verdict = judgeUnread(copy, before);
    if (verdict) judged.set(nameOf(copy), verdict);
    else toRead.push(copy);
  }
  for (const copy of await judgeAll(tier, toRead, { known, trust, signal })) judged.set(nameOf(copy), copy);
  const capacity = await tier.store.capacity({ signal }).catch(() => null);
  signal.throwIfAborted();
  const stamps = stampsBefore(known, notes);
  const found = listed.map((copy) => judged.get(nameOf(copy))).filter((copy) => copy !== undefined);
  const copies = found.map((copy) => {
    const before = known.get(nameOf(copy));
    const seen = withSeenAt(withKnownState(copy, before, cached?.trust === fingerprint), before, scannedAt);
    return { ...seen, stamps: stamps(copy) ?? copy.stamps };
  });
  await dropNotes(config, tier.name, "damaged", damaged, judged);
  const noted = withDamage(copies, damaged);
  const inventory: Inventory = { tier: tier.name, scannedAt, copies: noted, capacity };
  // What one of us deleted while the tier was being listed is not lost.
  const ours = [...deleted, ...(await readNotes(config, tier.name, "deleted"))];
  const kept = await remember(
    config,
    { inventory, trust: fingerprint },
    cached && withoutDeleted(cached, ours),
    identity,
  );
  if (kept) {
    await removeNotes(config, tier.name, "arrived", arrived);
    await removeNotes(config, tier.name, "deleted", deleted);
    await dropNotes(config, tier.name, "doubtful", doubtful, new Map(noted.map((copy) => [nameOf(copy), copy])));
  }
  const doubts = new Map(doubtful.map((note) => [nameOf(note), note]));
  const stampsNow = new Map(listed.map((copy) => [nameOf(copy), copy.stamps]));
  return {
    inventory: { ...inventory, copies: noted.map((copy) => inDoubt(copy, doubts.get(nameOf(copy)))) },
    doubtful: noted.flatMap((copy) => {
      const { files = [] } = doubts.get(nameOf(copy)) ?? {};
      const changed = hasChanged(copy.stamps, stampsNow.get(nameOf(copy)) ?? "");
      return copy.state === "complete" && (changed || files.length > 0) ? [{ copy, files }] : [];
    }),
  };
}

export interface ScannedTiers {
  readonly inventories: readonly Inventory[];
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
}

/** All tiers at once; one that cannot be looked at does not keep the others waiting. */
export async function scanAll(site: ScanSite, tiers: readonly Tier[], options: ScanOptions): Promise<ScannedTiers> {
  const outcomes = await Promise.all(
    tiers.map(async (tier) => {
      try {
        return (await scanTier(site, tier, options)).inventory;
      } catch (error) {
        return { tier: tier.name, reason: messageOf(options.signal.aborted ? options.signal.reason : error) };
      }
    }),
  );
  return {
    inventories: outcomes.filter((outcome) => "copies" in outcome),
    unreachable: outcomes.filter((outcome) => "reason" in outcome),
  };
}

/** The stamps of a copy's segments as they were verified; null where it is new, or was just made: as they are now. */
function stampsBefore(
  known: ReadonlyMap<string, InventoryCopy>,
  notes: Pick<Notes, "arrived" | "doubtful">,
): (copy: InventoryCopy) => string | null {
  const arrived = new Set(notes.arrived.map(nameOf));
  const verified = new Map(notes.doubtful.map((note) => [nameOf(note), note.seen]));
  return (copy) => {
    const before = known.get(nameOf(copy));
    if (before === undefined || before.state === "partial" || arrived.has(nameOf(copy))) return null;
    return verified.get(nameOf(copy)) ?? (before.stamps || null);
  };
}

/** Bytes that rotted have the same size, which no listing shows; whoever read them has left a note. */
function withDamage(copies: readonly InventoryCopy[], notes: readonly TierNote[]): readonly InventoryCopy[] {
  if (notes.length === 0) return copies;
  const damaged = new Set(notes.map(nameOf));
  return copies.map((copy) =>
    copy.state === "complete" && damaged.has(nameOf(copy)) ? { ...copy, state: "damaged" } : copy,
  );
}

/** Removes the notes of copies that are gone, and of doubts that have ended. */
async function dropNotes(
  config: Config,
  tier: string,
  kind: "damaged" | "doubtful",
  notes: readonly TierNote[],
  copies: ReadonlyMap<string, InventoryCopy>,
): Promise<void> {
  const ended = ({ problem }: TierNote) => kind === "doubtful" && problem === null;
  await removeNotes(
    config,
    tier,
    kind,
    notes.filter((note) => !copies.has(nameOf(note)) || ended(note)),
  );
}

function withoutDeleted({ inventory, trust }: CachedInventory, deleted: readonly TierNote[]): CachedInventory {
  const ours = new Set(deleted.map(nameOf));
  return { trust, inventory: { ...inventory, copies: inventory.copies.filter((copy) => !ours.has(nameOf(copy))) } };
}

/**
 * Puts an inventory in the place of the one that it was compared with, and before that keeps what was lost between the two.
 * False where another one came meanwhile, there is no site here (as at an empty mount point), or it cannot be written (a full
 * disk): what was found holds all the same, and the next scan notices the losses.
 */
async function remember(
  config: Config,
  found: CachedInventory,
  before: CachedInventory | null,
  identity: string,
): Promise<boolean> {
  if (!existsSync(path.join(config.backupDir, ".trivault"))) return false;
  const { inventory } = found;
  try {
    if ((await cacheIdentity(config, inventory.tier)) !== identity) return false;
    await noteLosses(config, lossesSince(before?.inventory ?? null, inventory));
    await writeCache(config, found);
    const bytes = inventory.copies.reduce((sum, copy) => sum + copy.bytes, 0);
    await writeUsage(config, inventory.tier, bytes);
    return true;
  } catch {
    return false;
  }
}
