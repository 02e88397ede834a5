import { publishJson, readJson, ensureFolder } from "@trivault/core";
import path from "node:path";
import { tierFolder } from "@trivault/backup";
import type { Config } from "@trivault/core";
import type { Decision } from "@trivault/retention";
import { z } from "zod";

/**
 * Tells the plain course of things from a mass deletion that somebody should look at first: a policy that was made
 * stricter, a clock that jumped, a mistake of ours.
 *
 * In the plain course each new backup pushes out about one old one, however long maintenance did not run: after a day's
 * outage with hourly backups there are 24 to delete, and 24 that are newer than all that lay there at the last run. So only
 * the deletions beyond the number of newcomers count. Made stricter, a policy orders deletions that no newcomer accounts
 * for; they stay held back until they are ordered by hand, as newcomers count in the one run that sees them first.
 *
 *     <BACKUP_DIR>/.trivault/tiers/<tier>/retention.json    what the last run saw
 */
const FEW = 10;
const SHARE = 0.2;

const seenSchema = z.object({
  databases: z.record(z.string(), z.object({ newest: z.string(), held: z.boolean() })).default({}),
  /** The tier refuses deletions; the record has been told. */
  refused: z.boolean().default(false),
});
export type Seen = z.infer<typeof seenSchema>;

type Place = Pick<Config, "backupDir">;

/** Where it cannot be read, as if it were not there: then nothing that came since is known of, and more is held back. */
export async function readSeen(config: Place, tier: string): Promise<Seen> {
  const seen = await readJson(fileOf(config, tier), seenSchema).catch(() => null);
  return seen ?? { databases: {}, refused: false };
}

export async function writeSeen(config: Place, tier: string, seen: Seen): Promise<void> {
  const file = fileOf(config, tier);
  await ensureFolder(path.dirname(file));
  await publishJson(file, seen);
}

/** Whether so much would go from a tier at once that a person shall order it; `here` is all of one database there. */
export function isMassDeletion(here: readonly Decision[], newestSeen: string | null): boolean {
  const complete = here.filter(({ state }) => state === "complete");
  const deletions = complete.filter(({ action }) => action === "delete").length;
  const newcomers = newestSeen === null ? 0 : complete.filter(({ backupId }) => backupId > newestSeen).length;
  return deletions - newcomers > Math.max(FEW, SHARE * complete.length);
}

function fileOf(config: Place, tier: string): string {
  return path.join(tierFolder(config, tier), "retention.json");
}
