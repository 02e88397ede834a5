import { siteTrust } from "@trivault/backup";
import { formatBytes, placeOf, type TierConfig, timeOfBackupId } from "@trivault/core";
import { type BudgetState, checkBudget, type Inventory, type InventoryCopy, scanAll } from "@trivault/maintenance";
import { costOf, type TierCost } from "@trivault/site";
import { openTiers } from "@trivault/storage";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { facts, formatAge, formatTime, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { chooseTiers, type TierNoun } from "./nouns.ts";

export interface TierStatsOptions {
  readonly tier?: string;
  readonly database?: string;
  readonly json?: boolean;
}

export async function tierStats(noun: TierNoun, options: TierStatsOptions, running: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const now = new Date();
  const chosen = chooseTiers(config, noun, options.tier);
  const tiers = openTiers(chosen);
  try {
    const trust = await siteTrust({ config });
    const { signal } = running;
    const { inventories, unreachable } = await scanAll({ config, now: () => now }, tiers, { signal, trust });
    signal.throwIfAborted();
    for (const { tier, reason } of unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
    const stats = chosen.flatMap((tier) => {
      const inventory = inventories.find((candidate) => candidate.tier === tier.name);
      return inventory
        ? [statsOf(tier, only(inventory, options.database), costOf(config, inventories), checkBudget(tier, inventory))]
        : [];
    });
    if (running.json) printJson({ tiers: stats.map(({ place: _place, ...rest }) => rest), unreachable });
    else if (stats.length > 0) printText(stats.map((each) => describe(each, now)).join("\n\n"));
    return unreachable.length > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await Promise.all(tiers.map(({ store }) => store.close()));
  }
}

function only(inventory: Inventory, database: string | undefined): Inventory {
  if (database === undefined) return inventory;
  return { ...inventory, copies: inventory.copies.filter((copy) => copy.database === database) };
}

type Stats = ReturnType<typeof statsOf>;

function statsOf(
  tier: TierConfig,
  { copies, capacity, scannedAt }: Inventory,
  costs: readonly TierCost[],
  budget: BudgetState,
) {
  const cost = costs.find((each) => each.tier === tier.name);
  const databases = [...Map.groupBy(copies, ({ database }) => database)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    tier: tier.name,
    place: placeOf(tier),
    scannedAt,
    ...countsOf(copies),
    databases: databases.map(([database, those]) => ({ database, ...countsOf(those) })),
    capacity,
    classes: cost?.classes ?? [],
    costPerMonth: cost?.perMonth ?? null,
    budget,
  };
}

function countsOf(copies: readonly InventoryCopy[]) {
  const count = (state: InventoryCopy["state"]) => copies.filter((copy) => copy.state === state).length;
  const complete = copies
    .filter(({ state }) => state === "complete")
    .map(({ backupId }) => backupId)
    .toSorted();
  const [oldest = null] = complete;
  const newest = complete.at(-1) ?? null;
  return {
    backups: complete.length,
    damaged: count("damaged"),
    untrusted: count("untrusted"),
    partial: count("partial"),
    unknown: count("unknown"),
    bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
    oldest: oldest === null ? null : timeOfBackupId(oldest),
    newest: newest === null ? null : timeOfBackupId(newest),
  };
}

function describe(stats: Stats, now: Date): string {
  const { tier, place, capacity, classes, costPerMonth, budget, databases } = stats;
  const odd = (["damaged", "untrusted", "partial", "unknown"] as const).filter((state) => stats[state] > 0);
  const pairs: [string, string][] = [
    ["Tier", `${tier}: ${place}`],
    ["Backups", `${stats.backups} complete${odd.map((state) => `, ${stats[state]} ${state}`).join("")}`],
    ["Size", formatBytes(stats.bytes)],
    ["Newest", timeAndAge(stats.newest, now)],
    ["Oldest", timeAndAge(stats.oldest, now)],
    [
      "Free space",
      capacity ? `${formatBytes(capacity.free)} of ${formatBytes(capacity.total)}` : "the tier does not say",
    ],
  ];
  if (classes.length > 1 || classes.some(({ storageClass }) => storageClass !== "STANDARD")) {
    pairs.push([
      "Classes",
      classes.map(({ storageClass, bytes }) => `${storageClass} ${formatBytes(bytes)}`).join(", "),
    ]);
  }
  if (costPerMonth !== null) pairs.push(["Cost", `${costPerMonth.toFixed(2)} per month, by the configured prices`]);
  if (budget.budgetBytes !== null) {
    pairs.push(["Budget", budget.message ?? `${formatBytes(budget.usedBytes)} of ${formatBytes(budget.budgetBytes)}`]);
  }
  if (databases.length === 0) return facts(pairs);
  const rows = databases.map((each) => [
    each.database,
    String(each.backups),
    formatBytes(each.bytes),
    timeAndAge(each.newest, now),
    timeAndAge(each.oldest, now),
  ]);
  return `${facts(pairs)}\n\n${table(["DATABASE", ">BACKUPS", ">SIZE", "NEWEST", "OLDEST"], rows)}`;
}

function timeAndAge(time: Date | null, now: Date): string {
  return time === null ? "-" : `${formatTime(time)} (${formatAge(now.getTime() - time.getTime())})`;
}
