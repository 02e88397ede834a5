import type { NextStage } from "@trivault/backup";
import type { Config } from "@trivault/core";
import { nameOf } from "../inventory/cache.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { SitePlan } from "../plan/plan-site.ts";

export type CopyToStart = Extract<NextStage, { stage: "copy" }>;

/**
 * The copies that tier `to` lacks, or holds damaged, and that its plan wants there, newest first: from the local tier where
 * that has a complete copy, else from the first other tier that has. Nobody has one: nothing can be done.
 */
export function reconcile(
  { config }: { readonly config: Pick<Config, "tiers"> },
  plan: SitePlan,
  inventories: readonly Inventory[],
  to: string,
): CopyToStart[] {
  const holders = completeOn(inventories);
  const sources = config.tiers.map(({ name }) => name).filter((name) => name !== to);
  const copies: CopyToStart[] = [];
  for (const { decisions } of plan.plans.values()) {
    for (const { database, backupId, tier, action } of decisions) {
      if (tier !== to || action !== "copy") continue;
      const from = sources.find((name) => holders.get(name)?.has(nameOf({ database, backupId })));
      if (from !== undefined) copies.push({ stage: "copy", database, backupId, from, to });
    }
  }
  return copies.toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1));
}

/** Names of the complete copies, by tier. */
function completeOn(inventories: readonly Inventory[]): Map<string, Set<string>> {
  return new Map(
    inventories.map(({ tier, copies }) => [
      tier,
      new Set(copies.filter(({ state }) => state === "complete").map(nameOf)),
    ]),
  );
}
