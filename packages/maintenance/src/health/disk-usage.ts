import { type Config, formatBytes, type TierConfig } from "@trivault/core";
import type { HealthReport } from "./report.ts";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";

type Measured = Pick<Inventory, "tier" | "capacity"> & { readonly copies: readonly Pick<InventoryCopy, "bytes">[] };

/** What fills the file system that a tier lies on; of a bucket, which has no end, what our backups take. */
export function diskUsage(config: Pick<Config, "tiers">, inventories: readonly Measured[]): HealthReport["diskUsage"] {
  const [local, ...others] = config.tiers;
  const usage = (tiers: readonly TierConfig[]) => {
    const usages = tiers.map(({ name }) => ({ name, text: usageOf(inventories.find(({ tier }) => tier === name)) }));
    if (usages.length <= 1) return usages[0]?.text ?? "none";
    return usages.map(({ name, text }) => `${name}: ${text}`).join("; ");
  };
  return {
    local: usage(local ? [local] : []),
    remote: usage(others.filter(({ kind }) => kind !== "s3")),
    cloud: usage(others.filter(({ kind }) => kind === "s3")),
  };
}

function usageOf(inventory: Measured | undefined): string {
  if (!inventory) return "unknown";
  const { capacity, copies } = inventory;
  if (capacity === null || capacity.total === 0) return size(copies.reduce((sum, { bytes }) => sum + bytes, 0));
  const used = capacity.total - capacity.free;
  return `${size(used)} (${Math.round((100 * used) / capacity.total)}% of ${size(capacity.total)})`;
}

function size(bytes: number): string {
  return formatBytes(bytes).replace(".0 ", " ");
}
