import type { Recorder } from "@trivault/audit";
import { type BackupRef, type CopyResult, findTier, readNotes, type StageContext } from "@trivault/backup";
import { backupKey, backupPrefix, MANIFEST, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { nameOf } from "../inventory/cache.ts";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import type { CopyToStart } from "./reconcile.ts";

export interface Started {
  readonly copies: number;
  /** The copies that replaced a damaged one, or one with a bad manifest. */
  readonly repairs: number;
}

/**
 * Starts copies. A bad copy that lies in the way stays as it is until the copy stage makes it good in its place: its other
 * segments may be what a restore needs meanwhile. Not while the tier that has a good one cannot be asked.
 */
export async function startCopies(
  site: MaintenanceSite,
  tier: Tier,
  inventory: Inventory,
  copies: readonly CopyToStart[],
  context: StageContext,
): Promise<Started> {
  const here = new Map(inventory.copies.map((copy) => [nameOf(copy), copy]));
  const noted = new Set((await readNotes(site.config, tier.name, "damaged")).map(nameOf));
  const requireSource = sourceCheck(site, context.signal);
  let started = 0;
  let repairs = 0;
  for (const next of copies) {
    context.signal.throwIfAborted();
    const bad = here.get(nameOf(next));
    if (bad !== undefined && bad.manifest !== null) {
      try {
        if (!noted.has(nameOf(next)) && (await isWhole(tier, bad, context.signal))) continue;
        await requireSource(next);
      } catch (error) {
        context.signal.throwIfAborted();
        context.note(`${next.backupId} on ${tier.name} is ${bad.state} and could not be repaired: ${messageOf(error)}`);
        continue;
      }
      repairs++;
    }
    await context.start(next);
    started++;
  }
  return { copies: started, repairs };
}

/** The inventory that named the source may be some rounds old. A tier that is silent is asked once, and not for each copy. */
function sourceCheck(site: MaintenanceSite, signal: AbortSignal) {
  const silent = new Map<string, unknown>();
  return async ({ from, ...ref }: CopyToStart): Promise<void> => {
    if (silent.has(from)) throw silent.get(from);
    const found = await findTier(site.tiers, from)
      .store.stat(manifestOf(ref), { signal })
      .catch((error: unknown) => {
        silent.set(from, error);
        throw error;
      });
    if (found === null) throw new Error(`${from} no longer has a complete copy of it`);
  };
}

/** A listing that was taken while the copy was being completed may have missed objects that are there. */
async function isWhole(
  tier: Tier,
  { expected, manifest, ...ref }: InventoryCopy,
  signal: AbortSignal,
): Promise<boolean> {
  if (expected === null || manifest === null) return false;
  let objects = -1;
  let bytes = -manifest.size;
  for await (const { size } of tier.store.list(backupPrefix(ref.database, ref.backupId), { signal })) {
    objects++;
    bytes += size;
  }
  return objects === expected.objects && bytes === expected.bytes;
}

function manifestOf({ database, backupId }: BackupRef) {
  return backupKey(database, backupId, MANIFEST);
}

/** To be called with what a copy stage did: where a bad copy lay there it is good now, and every byte of it was verified. */
export async function recordRepair(record: Recorder, result: Omit<CopyResult, "segments" | "skipped">): Promise<void> {
  const { database, backupId, to: tier, from, repaired, bytes, seconds } = result;
  if (repaired === null) return;
  const event = { outcome: "ok", actor: "maintenance", tier, database, backupId, bytes, seconds } as const;
  // Nothing had to be put right: whoever found it bad was wrong, or somebody else was here.
  if (repaired.objects === 0)
    await record({ ...event, action: "backup.verified", details: { state: "good", problems: 0 } });
  else {
    const details = { was: repaired.was, madeGoodFrom: from, objects: repaired.objects };
    await record({ ...event, action: "tier.repaired", details });
  }
}
