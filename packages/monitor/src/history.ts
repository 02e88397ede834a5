import { DAY_MS, HOUR_MS } from "@trivault/core";
import type { AuditLog, AuditReader } from "@trivault/audit";
import { copyName, type HealthHistory } from "@trivault/maintenance";
import { deriveRuns, describeRun, type JudgedRun, judgeRuns } from "./derive-runs.ts";
import type { HistoryFile } from "./history-file.ts";
import { historyOf, KEPT_MS, type KeptRow, newState, pruneState, takeEvent } from "./history-state.ts";
import type { DatabaseRow, MissedRun, Restoration, Run, VerificationRow } from "./views.ts";

export const SHOWN_MS = 30 * DAY_MS;
const STRIP = 30;
/** How long a row holds though nothing was recorded: a run that goes on may have become late. */
const RUNNING_HOLDS_MS = 60_000;
/** Events that a start reads though their history was kept: so many are read in a tenth of a second or two. */
const KEEP_AFTER_EVENTS = 20_000;

/**
 * The audit log of the last 35 days, kept in memory: it is read once, and then only what was added. On a large site what it amounts to
 * is kept on the disk, too, and a start reads only what came after.
 */
export interface History extends HealthHistory {
  /** Reads on. */
  update(now: Date): Promise<void>;
  /** Keeps it on the disk where much was read since that was done last. */
  keep(now: Date): Promise<void>;
  row(database: string, tiers: readonly string[] | null, now: Date): DatabaseRow;
  /** Oldest first. */
  runs(database: string, tiers: readonly string[] | null, now: Date): Run[];
  missed(database: string): readonly MissedRun[];
  restores(database: string): readonly Restoration[];
  verifications(tier: string): readonly VerificationRow[];
  /** The run that a backup, or a failed attempt to make one, belongs to. */
  run(backupId: string, tiersOf: (database: string) => readonly string[] | null, now: Date): Run | null;
}

/** `local` is the name of the first tier; `file` null: nothing is kept from one process to the next. */
export function createHistory(
  audit: Pick<AuditLog, "reader" | "resume">,
  local: string,
  file: HistoryFile | null,
  keepAfter = KEEP_AFTER_EVENTS,
): History {
  let state = newState();
  let reader: AuditReader | null = null;
  let prunedAt = 0;
  let notKept = 0;

  const begin = async (now: Date): Promise<AuditReader> => {
    const from = now.getTime() - KEPT_MS;
    const kept = (await file?.read(local)) ?? null;
    // What was kept while the clock was ahead lacks what is shown now.
    const isWhole = kept !== null && Date.parse(kept.mark.since) <= from && kept.prunedAt <= now.getTime();
    const resumed = isWhole ? await audit.resume(kept.mark) : null;
    if (resumed === null || kept === null) return audit.reader(new Date(from));
    ({ state, prunedAt } = kept);
    return resumed;
  };

  const derived = (database: string, tiers: readonly string[] | null, now: Date) =>
    deriveRuns([...(state.databases.get(database)?.backups().values() ?? [])], { now, tiers });

  return {
    async update(now) {
      reader ??= await begin(now);
      for await (const events of reader.read()) {
        for (const event of events) takeEvent(state, event, local);
        notKept += events.length;
      }
      if (now.getTime() - prunedAt < HOUR_MS) return;
      prunedAt = now.getTime();
      pruneState(state, prunedAt);
    },
    async keep(now) {
      if (notKept < keepAfter) return;
      notKept = 0;
      const mark = reader?.mark(new Date(now.getTime() - KEPT_MS)) ?? null;
      if (mark !== null) await file?.write({ state, mark, prunedAt }, local);
    },
    row(name, tiers, now) {
      const history = historyOf(state, name);
      const from = now.getTime();
      if (history.row && holdsStill(history.row, tiers, from)) return history.row.row;
      const runs = judgeRuns([...history.backups().values()], { now, tiers });
      const isRunning = runs.some((run) => run.state === "running");
      const holds = isRunning ? RUNNING_HOLDS_MS : HOUR_MS;
      history.row = { row: rowOf(name, runs, now), from, until: from + holds, tiers };
      return history.row.row;
    },
    runs: (database, tiers, now) => derived(database, tiers, now).map(({ run }) => run),
    missed: (database) => state.databases.get(database)?.missed ?? [],
    restores: (database) => state.databases.get(database)?.restores ?? [],
    verifications: (tier) => state.verifications.get(tier) ?? [],
    run(backupId, tiersOf, now) {
      for (const [name, { backups }] of state.databases) {
        if (!backups().has(backupId)) continue;
        return derived(name, tiersOf(name), now).find(({ ids }) => ids.includes(backupId))?.run ?? null;
      }
      return null;
    },
    lastRun: (database) => state.databases.get(database)?.lastRun ?? null,
    get lastCopyAt() {
      return state.lastCopyAt;
    },
    isFailedCopy: (backupId, tier) => state.failedCopies.has(copyName(backupId, tier)),
  };
}

function holdsStill({ from, until, tiers: before }: KeptRow, tiers: readonly string[] | null, now: number): boolean {
  if (now < from || now >= until) return false;
  return before === tiers || JSON.stringify(before) === JSON.stringify(tiers);
}

function rowOf(name: string, runs: readonly JudgedRun[], now: Date): DatabaseRow {
  const from = now.getTime() - SHOWN_MS;
  const ended = runs.filter(({ startedAt, state }) => startedAt >= from && state !== "running");
  return {
    name,
    strip: runs
      .slice(-STRIP)
      .map(describeRun)
      .map(({ backupId, startedAt, state, seconds, bytes, rows }) => {
        return { backupId, startedAt, state, seconds, bytes, rows };
      }),
    runs: ended.length,
    runsOk: ended.filter(({ state }) => state === "ok").length,
  };
}
