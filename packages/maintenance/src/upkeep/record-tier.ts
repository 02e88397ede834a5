import type { StageContext } from "@trivault/backup";
import { codeOf, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { checkBudget } from "../inventory/budget.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { type TierState, writeTierState } from "../inventory/tier-state.ts";

/** What changed about a tier as a whole goes into the audit log once, when it changes. */
export async function recordUnreachable(
  site: MaintenanceSite,
  { tier, error }: { readonly tier: Tier; readonly error: unknown },
  before: TierState,
  context: StageContext,
): Promise<void> {
  context.note(`${tier.name} could not be looked at: ${messageOf(error)}`);
  const seenAt = site.now();
  const unreachableSince = before.unreachableSince ?? seenAt;
  await writeTierState(site.config, tier.name, { ...before, seenAt, unreachableSince, reason: messageOf(error) });
  if (before.unreachableSince !== null) return;
  await site.record({
    action: "tier.unreachable",
    outcome: "failed",
    actor: "maintenance",
    tier: tier.name,
    error: { code: codeOf(error) ?? "STORE_FAILED", message: messageOf(error) },
  });
}

export async function recordReachable(site: MaintenanceSite, tier: Tier, since: Date): Promise<void> {
  const seconds = Math.max(0, (site.now().getTime() - since.getTime()) / 1000);
  await site.record({ action: "tier.reachable", outcome: "ok", actor: "maintenance", tier: tier.name, seconds });
}

/** Whether the tier is over its budget; recorded when that changes. */
export async function recordBudget(
  site: MaintenanceSite,
  tier: Tier,
  inventory: Inventory,
  before: TierState,
  context: StageContext,
): Promise<boolean> {
  const config = tierConfig(site, tier);
  if (!config) return false;
  const { state, message, usedBytes: bytes, budgetBytes } = checkBudget(config, inventory);
  const over = message !== null;
  if (message !== null) context.note(message);
  if (over !== before.overBudget) {
    const details = { state, budgetBytes, message };
    const outcome = over ? "failed" : "ok";
    await site.record({ action: "tier.over-budget", outcome, actor: "maintenance", tier: tier.name, bytes, details });
  }
  return over;
}

export function tierConfig({ config }: MaintenanceSite, { name }: Tier) {
  return config.tiers.find((candidate) => candidate.name === name);
}
