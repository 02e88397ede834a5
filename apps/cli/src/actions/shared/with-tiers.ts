import type { Config } from "@trivault/core";
import { openTiers, type Tier } from "@trivault/storage";

/** Opens the tiers for reading alone: nothing is created, no connection is made before its first use. */
export async function withTiers<T>(config: Config, use: (tiers: readonly Tier[]) => Promise<T>): Promise<T> {
  const tiers = openTiers(config.tiers);
  try {
    return await use(tiers);
  } finally {
    await Promise.all(tiers.map((tier) => tier.store.close()));
  }
}
