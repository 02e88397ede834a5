import { listRuns, removePartial, type StageContext } from "@trivault/backup";
import type { Tier } from "@trivault/storage";
import { nameOf } from "./inventory-cache.ts";
import type { Inventory, InventoryCopy } from "./inventory.ts";
import type { MaintenanceSite } from "./maintain-site.ts";
import type { CopyToStart } from "./reconcile.ts";

/** Remains without an owner are left alone for so long: whoever still writes them is then surely dead. */
export const ORPHAN_AGE_MS = 24 * 3_600_000;

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
    if ((await removePartial(tier, copy, context.signal)) === 0) continue;
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
