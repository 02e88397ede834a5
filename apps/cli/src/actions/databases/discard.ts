import { formatBytes, TrivaultError, visibleLine } from "@trivault/core";
import { discardBackups, type DiscardPlan, planDiscard } from "@trivault/maintenance";
import { actor } from "../../actor.ts";
import { ask, isInteractive } from "../../ask.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withSite } from "../shared/with-site.ts";

export interface DiscardOptions {
  readonly database: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** All backups of an orphan: the plan, a question, and what the plan says. */
export async function discard(options: DiscardOptions, { signal, json }: Running): Promise<number> {
  const environment = readEnvironment("read");
  return withSite(environment, { signal, dryRun: options.dryRun ?? false }, async (site) => {
    const plan = await planDiscard(site, options.database, signal);
    for (const { tier, reason } of plan.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
    for (const { tier, backupId, why } of plan.stays) say(`${backupId} stays on ${tier}: ${why}.`);
    const reached = plan.unreachable.length === 0;
    if (options.dryRun) {
      if (json) printJson({ dryRun: true, ...plan });
      else if (plan.copies.length === 0) print("Nothing would be deleted.");
      else printText(`${copiesTable(plan)}\n\n${visibleLine(summary(plan))}`);
      return reached ? EXIT.ok : EXIT.failed;
    }
    await confirm(plan, options, signal);
    const { log } = environment;
    const done = await discardBackups(site, plan, actor(), { signal, note: (line) => log.debug(line) });
    for (const line of done.held) say(`Held: ${line}`);
    if (json) printJson({ dryRun: false, ...done });
    else print(`${done.deleted.length} copies of ${plan.database} deleted, ${formatBytes(done.freedBytes)} freed.`);
    return done.complete ? EXIT.ok : EXIT.failed;
  });
}

async function confirm(plan: DiscardPlan, { yes }: DiscardOptions, signal: AbortSignal): Promise<void> {
  if (plan.copies.length === 0 || yes) return;
  if (!isInteractive()) {
    throw new TrivaultError(
      "INPUT_INVALID",
      `This deletes ${summary(plan)} There is no terminal to ask at, so nothing was deleted. Look with --dry-run, and say --yes to do it.`,
      { permanent: true },
    );
  }
  say(copiesTable(plan));
  const answer = await ask(`Delete ${summary(plan)} Type the database's name to go on: `, signal);
  if (answer === plan.database) return;
  throw new TrivaultError("CANCELLED", "Nothing was deleted.", { permanent: true });
}

function copiesTable({ copies }: DiscardPlan): string {
  return table(
    ["WOULD BE DELETED", "TIER", ">SIZE", "STATE"],
    copies.map(({ backupId, tier, bytes, state }) => [backupId, tier, formatBytes(bytes), state ?? ""]),
  );
}

function summary({ database, copies }: DiscardPlan): string {
  const backups = new Set(copies.map(({ backupId }) => backupId)).size;
  const bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
  return `${backups} ${backups === 1 ? "backup" : "backups"} of ${database}, ${copies.length} copies of ${formatBytes(bytes)}.`;
}
