import type { StageContext } from "@trivault/backup";
import type { Decision } from "@trivault/retention";
import type { Tier } from "@trivault/storage";
import { applyPlan } from "../plan/apply-plan.ts";
import type { SiteLook } from "../plan/look-at-site.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { ORPHAN_AGE_MS, sweepOrphans } from "./sweep.ts";
import { reconcile } from "../repair/reconcile.ts";

export interface Cleaned {
  readonly tier: string;
  readonly deleted: readonly Omit<Decision, "tier">[];
  /** What was not deleted, though planned, and why. */
  readonly held: readonly string[];
  readonly freedBytes: number;
  /** Remains of copies that nobody makes any more. */
  readonly swept: number;
}

export interface CleanUpOptions {
  readonly actor: string;
  /** Only for this database; remains are then left to another time. */
  readonly database?: string | undefined;
}

/** Retention by hand, by somebody who saw the plan: deletes what it says from one tier, and what is orphaned there. */
export async function cleanUpTier(
  site: MaintenanceSite,
  tier: Tier,
  look: SiteLook,
  { actor, database }: CleanUpOptions,
  context: Pick<StageContext, "signal" | "log" | "note">,
): Promise<Cleaned> {
  const { signal, note } = context;
  const applied = await applyPlan(site, tier, look.plan, { signal, byHand: true, actor, note, database });
  return {
    tier: tier.name,
    deleted: applied.deleted.map(({ tier: _tier, ...decision }) => decision),
    held: applied.held,
    freedBytes: applied.bytes,
    swept: database === undefined ? await sweep(site, tier, look, context) : 0,
  };
}

async function sweep(
  site: MaintenanceSite,
  tier: Tier,
  look: SiteLook,
  context: Pick<StageContext, "signal" | "log" | "note">,
): Promise<number> {
  const inventory = look.inventories.find((candidate) => candidate.tier === tier.name);
  if (inventory === undefined) return 0;
  const underway = reconcile(site, look.plan, look.inventories, tier.name);
  const whole: StageContext = { ...context, progress: () => {}, start: async () => {} };
  const copies = await sweepOrphans(site, tier, inventory, underway, whole);
  return copies + (await tier.store.sweep("", ORPHAN_AGE_MS, { signal: context.signal }));
}
