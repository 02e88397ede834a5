import { listRuns, removePartial, type StageContext } from "@trivault/backup";
import { codeOf, DAY_MS, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { nameOf } from "../inventory/cache.ts";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { isDue } from "../inventory/tier-state.ts";
import type { CopyToStart } from "../repair/reconcile.ts";

/** Remains without an owner are left alone for so long: whoever still writes them is then surely dead. */
export const ORPHAN_AGE_MS = DAY_MS;

/**
 * Removes copies without a manifest that nobody makes any more: not of a running run, not about to be copied, and old. Old
 * by this site's clock and by the tier's own newest object: a clock that is years ahead must not make a copy look old that
 * was begun a minute ago.
 */
export async function sweepOrphans(
  site: MaintenanceSite,
  tier: Tier,
  { copies }: Inventory,
  underway: readonly CopyToStart[],
  context: StageContext,
): Promise<number> {
  const running = new Set(await listRuns(site.config));
  const wanted = new Set(underway.map(nameOf));
  const newest = copies.reduce((latest, { newestAt }) => Math.max(latest, newestAt.getTime()), 0);
  const now = Math.min(newest, site.now().getTime());
  const isOrphan = (copy: InventoryCopy) =>
    copy.state === "partial" &&
    !running.has(copy.backupId) &&
    !wanted.has(nameOf(copy)) &&
    now - copy.newestAt.getTime() >= ORPHAN_AGE_MS;
  let removed = 0;
  for (const copy of copies.filter(isOrphan)) {
    try {
      if ((await removePartial(tier, copy, context.signal)) === 0) continue;
    } catch (error) {
      context.signal.throwIfAborted();
      context.note(`what is left of ${copy.backupId} on ${tier.name} could not be removed: ${messageOf(error)}`);
      if (codeOf(error) === "STORE_UNREACHABLE") break;
      continue;
    }
    removed++;
    await site.record({
      action: "tier.swept",
      outcome: "ok",
      actor: "maintenance",
      tier: tier.name,
      database: copy.database,
      backupId: copy.backupId,
      bytes: copy.bytes,
      details: { what: "a copy without a manifest" },
    });
  }
  return removed;
}

/** What writers that died left under temporary names, once a day. Null: not now. */
export async function sweepTemporary(
  site: Pick<MaintenanceSite, "now">,
  tier: Tier,
  sweptAt: Date | null,
  { signal, note }: Pick<StageContext, "signal" | "note">,
): Promise<number | null> {
  if (!isDue(sweptAt, site.now())) return null;
  try {
    return await tier.store.sweep("", ORPHAN_AGE_MS, { signal });
  } catch (error) {
    signal.throwIfAborted();
    note(`temporary files on ${tier.name} could not be removed: ${messageOf(error)}`);
    return null;
  }
}
