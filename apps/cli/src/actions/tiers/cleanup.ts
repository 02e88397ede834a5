import { formatBytes, TrivaultError } from "@trivault/core";
import { type Cleaned, cleanUpTier, expectPlanned, type PlanReport, planReport } from "@trivault/maintenance";
import { actor } from "../../actor.ts";
import { ask, isInteractive } from "../../ask.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { printJson, printText, say, sayText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { printPlan } from "../../plan-table.ts";
import { lookAtSite } from "../shared/look-at-site.ts";
import { chooseTiers, type TierNoun } from "./nouns.ts";
import { withSite } from "../shared/with-site.ts";

export interface TierCleanupOptions {
  readonly tier?: string;
  readonly database?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Rows of what goes that a person is shown before the question; `--dry-run` shows all. */
const SHOWN = 30;

/** Retention by hand: the plan, a question, what the plan says, and what is orphaned. */
export async function cleanUpTiers(noun: TierNoun, options: TierCleanupOptions, running: Running): Promise<number> {
  const environment = readEnvironment("read");
  const chosen = chooseTiers(environment.config, noun, options.tier).map(({ name }) => name);
  return withSite(environment, { signal: running.signal, dryRun: options.dryRun }, async (site) => {
    const look = await lookAtSite(site, running.signal);
    if (options.database !== undefined) expectPlanned(look, options.database);
    const known = chosen.filter((tier) => look.unreachable.every((each) => each.tier !== tier));
    const reports = known.map((tier) => planReport({ ...look, config: site.config, tier, database: options.database }));
    const reached = known.length === chosen.length;
    if (options.dryRun) {
      if (running.json) printJson({ dryRun: true, tiers: reports, unreachable: look.unreachable });
      else printReports(reports);
      return reached ? EXIT.ok : EXIT.failed;
    }
    for (const warning of new Set(reports.flatMap(({ warnings }) => warnings))) say(`Warning: ${warning}`);
    await confirm(reports, options, running);
    const cleaned: Cleaned[] = [];
    const { log } = environment;
    const who = { actor: actor(), database: options.database };
    const context = { signal: running.signal, log, note: (line: string) => log.debug(line) };
    for (const tier of site.tiers.filter(({ name }) => known.includes(name))) {
      cleaned.push(await cleanUpTier(site, tier, look, who, context));
    }
    for (const line of cleaned.flatMap(({ held }) => held)) say(`Held: ${line}`);
    for (const tier of chosen.filter((name) => !known.includes(name))) say(`Nothing was deleted from ${tier}.`);
    if (running.json) printJson({ dryRun: false, tiers: cleaned, unreachable: look.unreachable });
    else for (const each of cleaned) printText(describe(each));
    return reached && cleaned.every(({ held }) => held.length === 0) ? EXIT.ok : EXIT.failed;
  });
}

function printReports(reports: readonly PlanReport[]): void {
  for (const [index, report] of reports.entries()) {
    if (reports.length > 1) printText(`${index > 0 ? "\n" : ""}${report.tier}`);
    printPlan(report);
  }
}

async function confirm(reports: readonly PlanReport[], options: TierCleanupOptions, running: Running): Promise<void> {
  const deletions = reports.filter(({ deleted }) => deleted > 0);
  if (deletions.length === 0 || options.yes) return;
  const what = deletions.map(
    ({ tier, deleted, freedBytes }) => `${count(deleted)} from ${tier} (${formatBytes(freedBytes)})`,
  );
  if (!isInteractive()) {
    throw new TrivaultError(
      "INPUT_INVALID",
      `This deletes ${what.join(", ")}, and there is no terminal to ask at; nothing was deleted. Look with --dry-run, and say --yes to do it.`,
      { permanent: true },
    );
  }
  for (const report of deletions) sayText(deletionTable(report));
  const answer = await ask(`Delete ${what.join(", ")}? Type yes to go on: `, running.signal);
  if (answer.toLowerCase() === "yes") return;
  throw new TrivaultError("CANCELLED", "Nothing was deleted.", { permanent: true });
}

function deletionTable({ tier, decisions }: PlanReport): string {
  const goes = decisions.filter(({ action }) => action === "delete");
  const rows = goes
    .slice(0, SHOWN)
    .map(({ backupId, database, bytes, reasons }) => [backupId, database, formatBytes(bytes), reasons.join(", ")]);
  const list = table([`FROM ${tier.toUpperCase()}`, "DATABASE", ">SIZE", "WHY"], rows);
  return goes.length > SHOWN ? `${list}\n… and ${goes.length - SHOWN} more: --dry-run shows all` : list;
}

function describe({ tier, deleted, freedBytes, swept, held }: Cleaned): string {
  const rows = deleted.map(({ backupId, database, bytes, reasons }) => [
    backupId,
    database,
    formatBytes(bytes),
    reasons.join(", "),
  ]);
  const list = rows.length === 0 ? "" : `${table(["DELETED", "DATABASE", ">SIZE", "WHY"], rows)}\n`;
  const went =
    deleted.length === 0
      ? "no backup was deleted"
      : `${count(deleted.length)} deleted, ${formatBytes(freedBytes)} freed`;
  const remains =
    swept === 0 ? "" : `; remains of ${swept} unfinished ${swept === 1 ? "copy" : "copies"} or files removed`;
  const rest = held.length === 0 ? "" : `; ${held.length} held back, see above`;
  return `${list}${tier}: ${went}${remains}${rest}.`;
}

function count(number: number): string {
  return `${number} ${number === 1 ? "backup" : "backups"}`;
}
