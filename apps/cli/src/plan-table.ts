import { formatBytes, writeUtc } from "@trivault/core";
import type { PlanReport } from "@trivault/maintenance";
import type { ClassCost, TierCost } from "@trivault/site";
import { facts, print, printText, say, table } from "./output.ts";

/** The plan on stdout, warnings on stderr. */
export function printPlan(report: PlanReport): void {
  const { decisions, cost, budget } = report;
  for (const warning of report.warnings) say(`Warning: ${warning}`);
  if (budget?.message) say(`Warning: ${budget.message}`);
  if (decisions.length === 0) print(`There are no backups on ${report.tier}.`);
  else printText(table(["BACKUP", "DATABASE", ">SIZE", "DECISION"], decisions.map(row)));
  print("");
  printText(facts(summary(report)));
  if (cost && cost.classes.some(isTelling)) printText(`\n${costTable(cost)}`);
}

function row({ backupId, database, bytes, action, reasons, heldUntil }: PlanReport["decisions"][number]): string[] {
  const wait = heldUntil === undefined ? "" : `, held until ${writeUtc("en", new Date(heldUntil))}`;
  const words = { keep: "kept", delete: `would delete${wait}`, copy: "missing", none: "none" }[action];
  const why = reasons.join(", ").replace(/^kept by hand/, "by hand");
  return [backupId, database, formatBytes(bytes), `${words}: ${why}`];
}

function summary(report: PlanReport): [string, string][] {
  const goes = report.deleted === 0 ? "none" : `${report.deleted}, which frees ${formatBytes(report.freedBytes)}`;
  const lines: [string, string][] = [
    ["Kept", String(report.kept)],
    ["Would delete", `${goes}${report.deleted === 0 ? "" : saving(report.savedPerMonth)}`],
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

/** In the currency of the configured prices, which is not configured. */
function money(amount: number | null): string {
  return amount === null ? "no price" : amount.toFixed(2);
}
