import { type Config, type DatabaseConfig, findDatabase } from "@trivault/core";
import { readInventories } from "./cache.ts";
import type { Inventory } from "./inventory.ts";

/** Hosts' clocks may differ by so much. */
const AHEAD_MS = 60_000;

/** Not older than so many rounds of maintenance; one from the future was written by a clock that was wrong. */
export function isFresh(
  { scannedAt }: Pick<Inventory, "scannedAt">,
  { config, now }: { readonly config: Pick<Config, "limits">; readonly now: () => Date },
  rounds: number,
): boolean {
  const age = now().getTime() - scannedAt.getTime();
  return age <= rounds * config.limits.maintenanceMinutes * 60_000 && age >= -AHEAD_MS;
}

/** The cached inventories that are fresh, with `own`, which was just made, among them; and the tiers without one. */
export async function inventoriesWith(
  site: { readonly config: Config; readonly now: () => Date },
  own: readonly Inventory[],
  rounds: number,
): Promise<{ inventories: Inventory[]; unknownTiers: string[] }> {
  const made = new Map(own.map((inventory) => [inventory.tier, inventory]));
  const cached = (await readInventories(site.config)).filter(
    (inventory) => !made.has(inventory.tier) && isFresh(inventory, site, rounds),
  );
  const all = new Map([...made, ...cached.map((inventory) => [inventory.tier, inventory] as const)]);
  const names = site.config.tiers.map(({ name }) => name);
  return {
    inventories: names.map((name) => all.get(name)).filter((inventory) => inventory !== undefined),
    unknownTiers: names.filter((name) => !all.has(name)),
  };
}

/** Those that are configured, and those found on tiers whose names the patterns of a server take. */
export function databasesOn(config: Config, inventories: readonly Inventory[]): DatabaseConfig[] {
  const found = new Map(config.databases.map((database) => [database.name, database]));
  const names = new Set(inventories.flatMap(({ copies }) => copies.map(({ database }) => database)));
  for (const name of names) {
    const database = found.has(name) ? null : findDatabase(config, name);
    if (database) found.set(name, database);
  }
  return [...found.values()];
}
