import type { Decision } from "@trivault/retention";

/**
 * Distinguishes the plain course of things from a mass deletion that somebody should look at first: a policy that was made
 * stricter, a clock that jumped, a mistake of ours.
 *
 * In the plain course each new backup pushes out about one old one, however long maintenance did not run: after a day's
 * outage with hourly backups there are 24 to delete, and 24 that are newer than all that lay there at the last run. So only
 * the deletions beyond the number of newcomers count. Made stricter, a policy orders deletions that no newcomer accounts
 * for; they stay held back until they are ordered by hand, as newcomers count in the one run that sees them first.
 */
const FEW = 10;
const SHARE = 0.2;

/** Whether so much would go from a tier at once that a person shall order it; `here` is all of one database there. */
export function isMassDeletion(here: readonly Decision[], newestSeen: string | null): boolean {
  const complete = here.filter(({ state }) => state === "complete");
  const deletions = complete.filter(({ action, heldUntil }) => action === "delete" && heldUntil === undefined).length;
  const newcomers = newestSeen === null ? 0 : complete.filter(({ backupId }) => backupId > newestSeen).length;
  return deletions - newcomers > Math.max(FEW, SHARE * complete.length);
}
