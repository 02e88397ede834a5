import { formatBytes, type QueueName } from "@trivault/core";
import { expectPlanned, type Lack, lacksOf, type SiteLook, type WantedCopy } from "@trivault/maintenance";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withQueues } from "../../with-queues.ts";
import { type CopyOutcome, copyHere, copyQueuesWithoutWorker, enqueueCopies, waitForCopies } from "./copies.ts";
import { lookAtSite } from "../shared/look-at-site.ts";
import { chooseTiers, type TierNoun } from "./nouns.ts";
import { withSite } from "../shared/with-site.ts";

export interface TierSyncOptions {
  readonly tier?: string;
  readonly database?: string;
  readonly wait?: boolean;
  readonly inline?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export async function syncTiers(noun: TierNoun, options: TierSyncOptions, running: Running): Promise<number> {
  const environment = readEnvironment("read");
  const { config } = environment;
  const chosen = chooseTiers(config, noun, options.tier).map(({ name }) => name);
  return withSite(environment, { signal: running.signal, dryRun: options.dryRun }, async (site) => {
    const look = await lookAtSite(site, running.signal);
    if (options.database !== undefined) expectPlanned(look, options.database);
    const lacks = chosen.map((tier) => lacksOf(site, look, tier, options.database));
    const copies = lacks.flatMap((lack) => lack.copies);
    const finish = (
      outcomes: readonly CopyOutcome[],
      after: readonly Lack[] | null,
      noWorker: readonly QueueName[] = [],
    ) => report({ noun, options, look, lacks, outcomes, after, noWorker }, running);
    if (options.dryRun) return finish(copies.map(missing), null);
    if (copies.length === 0) return finish([], lacks);
    const lookAgain = async () => {
      const now = await lookAtSite(site, running.signal);
      return chosen.map((tier) => lacksOf(site, now, tier, options.database));
    };
    if (options.inline) return finish(await copyHere(site, environment, copies, running.signal), await lookAgain());
    return withQueues(config, "say --inline to copy in this process", async (queues) => {
      const noWorker = await copyQueuesWithoutWorker(config, queues, copies);
      if (options.wait && noWorker.length > 0) return finish(copies.map(missing), null, noWorker);
      const enqueued = await enqueueCopies(config, queues, copies);
      if (!options.wait) return finish(enqueued, null, noWorker);
      const waited = await waitForCopies(config, queues, copies, running.signal);
      if ("noWorkerFor" in waited) return finish(enqueued, null, waited.noWorkerFor);
      return finish(waited.outcomes, await lookAgain());
    });
  });
}

function missing(copy: WantedCopy): CopyOutcome {
  return { ...copy, state: "missing", seconds: null, problem: null };
}

interface SyncReport {
  readonly noun: TierNoun;
  readonly options: TierSyncOptions;
  readonly look: SiteLook;
  readonly lacks: readonly Lack[];
  readonly outcomes: readonly CopyOutcome[];
  /** Looked at again; null where nothing was waited for. */
  readonly after: readonly Lack[] | null;
  readonly noWorker: readonly QueueName[];
}

function report({ noun, options, look, lacks, outcomes, after, noWorker }: SyncReport, { json }: Running): number {
  const tiers = lacks.map(({ tier, complete, sourceless }) => {
    const copies = outcomes.filter(({ to }) => to === tier).map(({ to: _to, ...rest }) => rest);
    const now = after?.find((lack) => lack.tier === tier);
    const upToDate = now ? isUpToDate(now) : null;
    return { tier, complete: now?.complete ?? complete, upToDate, copies, sourceless };
  });
  for (const { tier, sourceless } of lacks) {
    for (const { database, backupId } of sourceless) {
      say(`${database} ${backupId} cannot be brought to ${tier}: no tier that could be asked has a complete copy.`);
    }
  }
  if (noWorker.length > 0) say(nobodyListens(noWorker, options.wait ?? false));
  if (json) {
    printJson({ dryRun: options.dryRun ?? false, tiers, unreachable: look.unreachable, queuesWithoutWorker: noWorker });
  } else for (const tier of tiers) printText(describe(noun, tier, options));
  if (noWorker.length > 0) return EXIT.noWorker;
  const known = tiers.every(({ complete }) => complete !== null);
  return known && tiers.every(({ upToDate }) => upToDate !== false) ? EXIT.ok : EXIT.failed;
}

function isUpToDate({ complete, copies, sourceless }: Lack): boolean {
  return complete !== null && copies.length === 0 && sourceless.length === 0;
}

function nobodyListens(queues: readonly QueueName[], wait: boolean): string {
  const then = wait
    ? "so there is nobody to wait for. Start `npm start` or `npm run worker`, or say --inline to copy in this process"
    : "now. The copies stay in the queue and begin when one does: start `npm start` or `npm run worker`";
  return `No worker listens to ${queues.join(", ")}${wait ? ", " : " "}${then}.`;
}

interface Outcome {
  readonly tier: string;
  readonly complete: number | null;
  readonly upToDate: boolean | null;
  readonly copies: readonly Omit<CopyOutcome, "to">[];
  readonly sourceless: Lack["sourceless"];
}

function describe(
  noun: TierNoun,
  { tier, complete, upToDate, copies, sourceless }: Outcome,
  options: TierSyncOptions,
): string {
  const bytes = formatBytes(copies.reduce((sum, copy) => sum + copy.bytes, 0));
  const what = count(copies.length, "backup");
  if (complete === null) return `${tier}: not known, as it could not be asked.`;
  if (copies.length === 0 && sourceless.length === 0) {
    return `${tier} holds every backup that it shall hold: ${complete} complete.`;
  }
  if (copies.some(({ state }) => state === "enqueued")) {
    return `${tier} lacks ${what} (${bytes}): the copies are in the queue. \`npm run backup:${noun}:list\` shows what has arrived.`;
  }
  if (copies.some(({ state }) => state === "missing")) {
    const rows = copies.map((copy) => [copy.backupId, copy.database, formatBytes(copy.bytes), copy.from]);
    const list = table(["BACKUP", "DATABASE", ">SIZE", "TO BE COPIED FROM"], rows);
    return `${tier} lacks ${what} (${bytes})${options.dryRun ? "; nothing was copied" : "; nothing was enqueued"}:\n${list}`;
  }
  const done = copies.filter(({ state }) => state === "completed").length;
  if (upToDate)
    return `${tier} holds every backup that it shall hold: ${complete} complete, ${done} of them copied now (${bytes}).`;
  const left = copies.length - done + sourceless.length;
  return `${tier} still lacks ${count(left, "backup")}; ${done} of ${copies.length} copies were made.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
