import type { StageContext } from "@trivault/backup";
import { messageOf } from "@trivault/core";
import { applyLifecycle, type Tier } from "@trivault/storage";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { isDue, type TierState } from "../inventory/tier-state.ts";
import { tierConfig } from "./record-tier.ts";

/**
 * Sees to it that a bucket has the lifecycle rules of the configuration: at once where these changed, else once a day, as
 * somebody may have changed them there. It is not worth failing for.
 */
export async function keepLifecycle(
  site: MaintenanceSite,
  tier: Tier,
  before: TierState,
  { signal, note }: StageContext,
): Promise<Pick<TierState, "lifecycle" | "lifecycleAppliedAt">> {
  const config = tierConfig(site, tier);
  if (config?.kind !== "s3" || (config.lifecycle.length === 0 && before.lifecycle === null)) return before;
  const lifecycle = JSON.stringify(config.lifecycle);
  if (lifecycle === before.lifecycle && !isDue(before.lifecycleAppliedAt, site.now())) return before;
  try {
    const { outcome, message } = await applyLifecycle(config, { signal });
    if (outcome === "applied") note(`${tier.name}: its lifecycle rules were set`);
    if (message !== null) note(message);
  } catch (error) {
    signal.throwIfAborted();
    note(`${tier.name}: its lifecycle rules could not be set: ${messageOf(error)}`);
    return before;
  }
  return { lifecycle, lifecycleAppliedAt: site.now() };
}
