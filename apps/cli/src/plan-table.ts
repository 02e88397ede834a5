import { type Config, formatBytes } from "@trivault/core";
import {
  type BudgetState,
  checkBudget,
  type ClassCost,
  costOfCopies,
  type Inventory,
  type SitePlan,
  type TierCost,
} from "@trivault/maintenance";
import type { Decision } from "@trivault/retention";
import { facts, print, say, table } from "./output.ts";

/** What a plan does to one tier. Also the JSON of `--dry-run`. */
export interface PlanReport {
  readonly tier: string;
  /** Newest first, database by database; what the tier lacks and shall lack is not among them. */
  readonly decisions: readonly Omit<Decision, "tier">[];
  readonly kept: number;
  readonly deleted: number;
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
  /** Only of this one. */
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
    missing: count("copy"),
    freedBytes: freed?.bytes ?? 0,
    cost: known && costOfCopies(known.tierConfig, known.inventory.copies),
    savedPerMonth: freed?.perMonth ?? null,
    budget: known && checkBudget(known.tierConfig, known.inventory),
    warnings: plan.warnings.filter((warning) => !ofOthers.has(warning)),
  };
}

/** The plan on stdout, warnings on stderr. */
export function printPlan(report: PlanReport): void {
  const { decisions, cost, budget } = report;
  for (const warning of report.warnings) say(`Warning: ${warning}`);
  if (budget?.message) say(`Warning: ${budget.message}`);
  if (decisions.length === 0) print(`There are no backups on ${report.tier}.`);
  else print(table(["BACKUP", "DATABASE", ">SIZE", "DECISION"], decisions.map(row)));
  print("");
  print(facts(summary(report)));
  if (cost && cost.classes.some(isTelling)) print(`\n${costTable(cost)}`);
}

function row({ backupId, database, bytes, action, reasons }: PlanReport["decisions"][number]): string[] {
  const told = { keep: "kept", delete: "delete", copy: "missing", none: "none" }[action];
  const why = reasons.join(", ").replace(/^kept by hand/, "by hand");
  return [backupId, database, formatBytes(bytes), `${told}: ${why}`];
}

function summary(report: PlanReport): [string, string][] {
  const goes = report.deleted === 0 ? "none" : `${report.deleted}, which frees ${formatBytes(report.freedBytes)}`;
  const lines: [string, string][] = [
    ["Kept", String(report.kept)],
    ["Deleted", `${goes}${report.deleted === 0 ? "" : saving(report.savedPerMonth)}`],
  ];
  if (report.missing > 0) lines.push(["Missing", `${report.missing}, to be copied from another tier`]);
  return lines;
}

function saving(perMonth: number | null): string {
  return perMonth === null ? "" : ` and saves ${money(perMonth)} a month`;
}

/** One class alone, without a price, says nothing that the sizes above do not. */
function isTelling({ storageClass, perMonth }: ClassCost): boolean {
  return storageClass !== "STANDARD" || perMonth !== null;
}

function costTable({ classes, bytes, perMonth }: TierCost): string {
  const rows = classes.map((each) => [each.storageClass, formatBytes(each.bytes), money(each.perMonth)]);
  if (rows.length !== 1) rows.push(["all", formatBytes(bytes), money(perMonth)]);
  const priced = classes.some((each) => each.perMonth !== null);
  return table(
    ["STORAGE CLASS", ">NOW", ...(priced ? [">A MONTH"] : [])],
    priced ? rows : rows.map((cells) => cells.slice(0, 2)),
  );
}

/** In the currency of the configured prices, which nobody has told us. */
function money(amount: number | null): string {
  return amount === null ? "no price" : amount.toFixed(2);
}

function nameOf({ database, backupId }: { database: string; backupId: string }): string {
  return `${database}/${backupId}`;
}
