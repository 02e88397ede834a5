import type { LimitsConfig } from "@trivault/core";

export interface MaintenanceRoundsDeps {
  readonly limits: Pick<LimitsConfig, "maintenanceMinutes">;
  readonly tiers: readonly { readonly name: string }[];
  readonly queue: {
    addMaintenance(tier: string, slot: Date): Promise<void>;
    startMaintenance(tier: string): Promise<void>;
  };
}

/** Rounds of maintenance: each tier's as often as configured, and not all tiers' at once. */
export function maintenanceRounds({ limits, tiers, queue }: MaintenanceRoundsDeps) {
  const period = limits.maintenanceMinutes * 60_000;
  const last = new Map<string, number>();
  return {
    /** One of each tier now, for a worker that starts or a Redis that may have lost what was under way. */
    async begin(): Promise<void> {
      for (const { name } of tiers) await queue.startMaintenance(name);
    },
    async look(now: number): Promise<void> {
      for (const [index, { name }] of tiers.entries()) {
        const spread = (index * period) / tiers.length;
        const slot = Math.floor((now - spread) / period) * period;
        const before = last.get(name);
        if (before !== undefined && before !== slot) await queue.addMaintenance(name, new Date(slot));
        last.set(name, slot);
      }
    },
  };
}
