import type { BackupFacts } from "./backup-facts.ts";

/**
 * The attempts that belong to one run, in the order in which they were made. A dump that is tried again is a new backup, and
 * the audit log does not say of which one it is the next attempt. It says enough, though:
 *
 * - All dumps of one slot of the schedule are one run.
 * - Among those without a slot (`backup.requested` has their first id, if the request was recorded) an attempt goes on with
 *   the oldest run of the same database and actor that waits for one: whose last attempt failed and is `retried`, or that
 *   was asked for and not begun (its first attempt's worker died), and whose number fits. A shutdown hands a job back
 *   without counting, so the number is the same or the next one.
 *
 * Two requests by one person may be taken for each other by this; their number, and how many succeeded, is right all the same.
 */
export function groupAttempts(facts: readonly BackupFacts[]): BackupFacts[][] {
  const groups: BackupFacts[][] = [];
  const bySlot = new Map<string, BackupFacts[]>();
  const open: BackupFacts[][] = [];
  for (const one of facts.toSorted(inOrder)) {
    const group = one.slot === null ? openGroupFor(one, open) : bySlot.get(one.slot);
    if (group) group.push(one);
    const mine = group ?? [one];
    if (!group) groups.push(mine);
    if (one.slot !== null) bySlot.set(one.slot, mine);
    else if (group === undefined && waits(one)) open.push(mine);
    else if (group !== undefined && !waits(one)) open.splice(open.indexOf(group), 1);
  }
  return groups;
}

function openGroupFor(one: BackupFacts, open: readonly BackupFacts[][]): BackupFacts[] | undefined {
  // One that was asked for under its own id is the first attempt of its run; one without a dump is none.
  if (one.requestedAt !== null || one.dump === null) return undefined;
  const { attempt } = one.dump;
  return open.find((group) => {
    const last = group.at(-1);
    if (last === undefined || last.actor !== one.actor) return false;
    const before = last.dump?.attempt ?? 1;
    return attempt === before || attempt === before + 1;
  });
}

function waits({ dump, requestedAt, encrypt, copies }: BackupFacts): boolean {
  if (dump !== null) return dump.outcome === "failed" && dump.retried;
  return requestedAt !== null && encrypt?.outcome !== "ok" && Object.keys(copies).length === 0;
}

function inOrder(a: BackupFacts, b: BackupFacts): number {
  const byTime = timeOf(a) - timeOf(b);
  return byTime === 0 ? (a.backupId < b.backupId ? -1 : 1) : byTime;
}

/** When its dump ended; what has none goes by its beginning. */
function timeOf({ dump, requestedAt, firstAt }: BackupFacts): number {
  return dump?.at ?? requestedAt ?? firstAt;
}
