import { type Config, writeUtc } from "@trivault/core";
import type { Decision } from "@trivault/retention";
import { type BudgetState, checkBudget } from "../inventory/budget.ts";
import { costOfCopies, type TierCost } from "@trivault/site";
import { nameOf } from "../inventory/cache.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { SitePlan } from "./plan-site.ts";

/** What a plan does to one tier. */
export interface PlanReport {
  readonly tier: string;
  /** Newest first, database by database; what the tier lacks and shall lack is not among them. */
  readonly decisions: readonly Omit<Decision, "tier">[];
  readonly kept: number;
  readonly deleted: number;
  /** The deletions that only a person may order for now, as the rules changed. */
  readonly held: number;
  readonly missing: number;
  readonly freedBytes: number;
  /** What lies there costs now; null where it could not be looked at. */
  readonly cost: TierCost | null;
  /** By the configured prices. */
  readonly savedPerMonth: number | null;
  readonly budget: BudgetState | null;
  readonly warnings: readonly string[];
}

export interface PlanReportInput {
  readonly config: Pick<Config, "tiers">;
  readonly plan: SitePlan;
  readonly inventories: readonly Inventory[];
  readonly tier: string;
  /** Only for this database. */
  readonly database?: string | undefined;
}

export function planReport({ config, plan, inventories, tier, database }: PlanReportInput): PlanReport {
  const plans = [...plan.plans].filter(([name]) => database === undefined || name === database);
  const others = [...plan.plans].filter(([name]) => database !== undefined && name !== database);
  const ofOthers = new Set(others.flatMap(([, { warnings }]) => warnings));
  const decisions = plans.flatMap(([, { decisions: all }]) =>
    all.filter((decision) => decision.tier === tier && decision.action !== "none"),
  );
  const count = (action: Decision["action"]) => decisions.filter((decision) => decision.action === action).length;
  const tierConfig = config.tiers.find(({ name }) => name === tier);
  const inventory = inventories.find((candidate) => candidate.tier === tier);
  const known = tierConfig && inventory ? { tierConfig, inventory } : null;
  const goes = new Set(decisions.filter(({ action }) => action === "delete").map(nameOf));
  const held = decisions.flatMap(({ heldUntil }) => heldUntil ?? []);
  const freed =
    known &&
    costOfCopies(
      known.tierConfig,
      known.inventory.copies.filter((copy) => goes.has(nameOf(copy))),
    );
  return {
    tier,
    decisions: decisions.map(({ tier: _tier, ...decision }) => decision),
    kept: count("keep"),
    deleted: count("delete"),
    held: held.length,
    missing: count("copy"),
    freedBytes: freed?.bytes ?? 0,
    cost: known && costOfCopies(known.tierConfig, known.inventory.copies),
    savedPerMonth: freed?.perMonth ?? null,
    budget: known && checkBudget(known.tierConfig, known.inventory),
    warnings: [...plan.warnings.filter((warning) => !ofOthers.has(warning)), ...heldWarning(held)],
  };
}

function heldWarning(held: readonly string[]): string[] {
  if (held.length === 0) return [];
  const until = writeUtc("en", new Date(held.toSorted().at(-1) ?? 0));
  const [waits, it] = held.length === 1 ? ["waits", "it"] : ["wait", "them"];
  return [
    `${held.length} of these ${waits} until ${until}: the rules changed, and those before keep ${it}. A cleanup by hand deletes ${it} at once, and accepts the rules.`,
  ];
}
