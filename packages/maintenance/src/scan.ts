import { existsSync } from "node:fs";
import {
  forEachConcurrently,
  isTrusted,
  readManifest,
  readNotes,
  removeNotes,
  type Trust,
  writeUsage,
} from "@trivault/backup";
import { type Config, messageOf, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { nameOf, readCache, trustOf, writeCache } from "./inventory-cache.ts";
import { type ListedCopy, listTier } from "./inventory-listing.ts";
import type { Inventory, InventoryCopy } from "./inventory.ts";
import { withSeenAt } from "./seen-at.ts";

/** Manifests that are read at a time. */
const IN_FLIGHT = 16;

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
  /** What the last scan found, without what we deleted ourselves since; null where nobody remembers. */
  readonly before: Inventory | null;
}

/**
 * Lists a tier whole and says of each copy what it is worth. Only manifests that are new or changed since the last scan
 * are read; what was found is cached for the next one, and for all who ask. Throws where the tier cannot be looked at.
 */
export async function scanTier(site: ScanSite, tier: Tier, { signal, trust }: ScanOptions): Promise<Scan> {
  const { config } = site;
  const fingerprint = trustOf(trust.trustedKeys);
  const [cached, arrived, deleted] = await Promise.all([
    readCache(config, tier.name),
    readNotes(config, tier.name, "arrived"),
    readNotes(config, tier.name, "deleted"),
  ]);
  const scannedAt = site.now();
  const listed = await listTier(tier, signal);
  const known = new Map(cached?.inventory.copies.map((copy) => [nameOf(copy), copy]));
  const judged = new Map<string, InventoryCopy>();
  const toRead: ListedCopy[] = [];
  for (const copy of listed) {
    const before = cached?.trust === fingerprint ? known.get(nameOf(copy)) : undefined;
    const verdict = judgeUnread(copy, before);
    if (verdict) judged.set(nameOf(copy), verdict);
    else toRead.push(copy);
  }
  await forEachConcurrently(
    async function* each() {
      yield* toRead;
    },
    { limit: IN_FLIGHT, signal },
    async (copy, inner) => void judged.set(nameOf(copy), await judge(tier, copy, trust, inner)),
  );
  await applyDamage(config, tier, judged);
  const capacity = await tier.store.capacity({ signal }).catch(() => null);
  signal.throwIfAborted();
  const copies = listed
    .map((copy) => judged.get(nameOf(copy)))
    .filter((copy) => copy !== undefined)
    .map((copy) => withSeenAt(copy, known.get(nameOf(copy)), scannedAt));
  const inventory: Inventory = { tier: tier.name, scannedAt, copies, capacity };
  const remembered = await remember(config, inventory, fingerprint);
  if (remembered) {
    await removeNotes(config, tier.name, "arrived", arrived);
    await removeNotes(config, tier.name, "deleted", deleted);
  }
  const ours = new Set(deleted.map(nameOf));
  const before = cached?.inventory ?? null;
  return {
    inventory,
    before: before && { ...before, copies: before.copies.filter((copy) => !ours.has(nameOf(copy))) },
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

/** What can be said without reading a manifest; null where one has to be read. */
function judgeUnread(copy: ListedCopy, before: InventoryCopy | undefined): InventoryCopy | null {
  const { manifest } = copy;
  if (manifest === null) return { ...copy, state: "partial", expected: null };
  const same = before?.manifest?.size === manifest.size && +before.manifest.modifiedAt === +manifest.modifiedAt;
  if (!same) return null;
  if (before.state === "untrusted") return { ...copy, state: "untrusted", expected: null };
  return before.expected === null ? null : { ...copy, ...compared(copy, before.expected) };
}

async function judge(
  tier: Tier,
  copy: ListedCopy,
  trust: ScanOptions["trust"],
  signal: AbortSignal,
): Promise<InventoryCopy> {
  try {
    const stored = await readManifest(tier, copy, signal);
    if (stored === null) return { ...copy, manifest: null, state: "partial", expected: null }; // deleted since
    if (!isTrusted(stored.signed, trust.trustedKeys)) return { ...copy, state: "untrusted", expected: null };
    const { segments } = stored.signed.manifest;
    const bytes = segments.reduce((sum, { size }) => sum + size, 0);
    return { ...copy, ...compared(copy, { objects: segments.length, bytes }) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TrivaultError) || error.code === "STORE_UNREACHABLE") throw error;
    // One manifest that cannot be read must not hide all the others; it is tried again with each scan.
    return { ...copy, state: error.code === "CORRUPT" ? "untrusted" : "damaged", expected: null };
  }
}

function compared(
  { objects, bytes, manifest }: ListedCopy,
  expected: NonNullable<InventoryCopy["expected"]>,
): Pick<InventoryCopy, "state" | "expected"> {
  const whole = objects - 1 === expected.objects && bytes - (manifest?.size ?? 0) === expected.bytes;
  return { state: whole ? "complete" : "damaged", expected };
}

/** Bytes that rotted have the same size, which no listing shows; whoever read them has left a note. */
async function applyDamage(config: Config, tier: Tier, copies: Map<string, InventoryCopy>): Promise<void> {
  const notes = await readNotes(config, tier.name, "damaged");
  for (const note of notes) {
    const copy = copies.get(nameOf(note));
    if (copy?.state === "complete") copies.set(nameOf(note), { ...copy, state: "damaged" });
  }
  await removeNotes(
    config,
    tier.name,
    "damaged",
    notes.filter((note) => !copies.has(nameOf(note))),
  );
}

/** False where the site is elsewhere or cannot be written (a full disk): what was found holds all the same. */
async function remember(config: Config, inventory: Inventory, trust: string): Promise<boolean> {
  if (!existsSync(config.backupDir)) return false;
  try {
    await writeCache(config, { inventory, trust });
    const bytes = inventory.copies.reduce((sum, copy) => sum + copy.bytes, 0);
    await writeUsage(config, inventory.tier, bytes);
    return true;
  } catch {
    return false;
  }
}
