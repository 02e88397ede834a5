import { formatBytes, TrivaultError } from "@trivault/core";
import { type SiteLook, wantedCopy } from "@trivault/maintenance";
import { chooseDatabase } from "../../choose-database.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatSeconds, print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withQueues } from "../../with-queues.ts";
import { type CopyOutcome, copyHere, copyQueuesWithoutWorker, enqueueCopies, waitForCopies } from "./copies.ts";
import { lookAtSite } from "../shared/look-at-site.ts";
import { chooseTiers, type TierNoun } from "./nouns.ts";
import { withSite } from "../shared/with-site.ts";

export interface TierUploadOptions {
  readonly tier?: string;
  readonly database?: string;
  readonly backup: string;
  readonly inline?: boolean;
  readonly json?: boolean;
}

interface UploadState {
  readonly tier: string;
  /** `there`: it was before. `unknown`: the tier could not be asked. */
  readonly state: "there" | "completed" | "failed" | "unknown";
  readonly bytes: number;
  readonly seconds: number | null;
  readonly problem: string | null;
}

export async function uploadBackup(noun: TierNoun, options: TierUploadOptions, running: Running): Promise<number> {
  const environment = readEnvironment("read");
  const { config } = environment;
  const database = chooseDatabase(config, options.database);
  const chosen = chooseTiers(config, noun, options.tier).map(({ name }) => name);
  return withSite(environment, running, async (site) => {
    const { signal } = running;
    const look = await lookAtSite(site, signal);
    const backupId = chooseId(look, database, options.backup);
    const copies = chosen.flatMap((tier) => {
      if (look.unreachable.some((each) => each.tier === tier)) return [];
      const wanted = wantedCopy(look, { database, backupId }, tier);
      return typeof wanted === "string" ? [] : [wanted];
    });
    for (const { to } of copies) warnOfRetention(look, backupId, to);
    const outcomes =
      copies.length === 0
        ? []
        : options.inline
          ? await copyHere(site, environment, copies, signal)
          : await withQueues(config, "say --inline to copy in this process", async (queues) => {
              const noWorker = await copyQueuesWithoutWorker(config, queues, copies);
              if (noWorker.length > 0) return nobody(noWorker);
              await enqueueCopies(config, queues, copies);
              const waited = await waitForCopies(config, queues, copies, signal);
              return "outcomes" in waited ? waited.outcomes : nobody(waited.noWorkerFor);
            });
    if (outcomes === null) return EXIT.noWorker;
    const tiers = chosen.map((tier) => stateOf(look, tier, outcomes));
    const ok = tiers.every(({ state }) => state === "there" || state === "completed");
    if (running.json) printJson({ database, backupId, ok, tiers });
    else for (const tier of tiers) print(describe(database, backupId, tier));
    return ok ? EXIT.ok : EXIT.failed;
  });
}

function nobody(queues: readonly string[]): null {
  say(
    `No worker listens to ${queues.join(", ")}, so there is nobody to wait for. Start \`npm start\` or \`npm run worker\`, or say --inline to copy in this process.`,
  );
  return null;
}

function copiesOf(look: SiteLook, database: string) {
  return look.inventories.flatMap(({ tier, copies }) =>
    copies.filter((copy) => copy.database === database && copy.state === "complete").map((copy) => ({ ...copy, tier })),
  );
}

function chooseId(look: SiteLook, database: string, wanted: string): string {
  const ids = copiesOf(look, database)
    .map(({ backupId }) => backupId)
    .toSorted();
  const chosen = wanted === "latest" ? ids.at(-1) : ids.find((id) => id === wanted);
  if (chosen !== undefined) return chosen;
  const what = wanted === "latest" ? "No complete backup" : `No complete backup ${wanted}`;
  throw new TrivaultError(
    "NOT_FOUND",
    `${what} of the database ${JSON.stringify(database)} was found on a tier that could be asked; \`npm run backup:list\` shows what there is.`,
    { permanent: true },
  );
}

/** What is brought there by hand against the rules goes again with the next maintenance: better said at once. */
function warnOfRetention({ plan }: SiteLook, backupId: string, to: string): void {
  const decisions = [...plan.plans.values()].flatMap((each) => each.decisions);
  const decision = decisions.find((each) => each.backupId === backupId && each.tier === to);
  if (decision?.action !== "none") return;
  say(
    `Note: by the rules of ${to} this backup does not stay there (${decision.reasons.join(", ")}), and maintenance deletes it again. To keep it: npm run backup:keep:add -- ${backupId}`,
  );
}

function stateOf(look: SiteLook, tier: string, outcomes: readonly CopyOutcome[]): UploadState {
  const nothing = { tier, bytes: 0, seconds: null, problem: null };
  const unreachable = look.unreachable.find((each) => each.tier === tier);
  if (unreachable) return { ...nothing, state: "unknown", problem: unreachable.reason };
  const outcome = outcomes.find(({ to }) => to === tier);
  if (outcome === undefined) return { ...nothing, state: "there" };
  const { bytes, seconds, problem } = outcome;
  return { tier, state: outcome.state === "completed" ? "completed" : "failed", bytes, seconds, problem };
}

function describe(database: string, backupId: string, { tier, state, bytes, seconds }: UploadState): string {
  const backup = `Backup ${backupId} of ${database}`;
  if (state === "there") return `${backup} was on ${tier} already, complete.`;
  if (state === "unknown") return `${backup} is not on ${tier}, as far as is known: the tier could not be asked.`;
  if (state === "failed") return `${backup} is NOT on ${tier}: the copy failed.`;
  return `${backup} is on ${tier}: ${formatBytes(bytes)}${seconds === null ? "" : ` in ${formatSeconds(seconds)}`}.`;
}
