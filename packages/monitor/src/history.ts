import { DAY_MS, HOUR_MS } from "@trivault/core";
import type { AuditLog, RecordedEvent } from "@trivault/audit";
import { copyName, type HealthHistory, type LastRun } from "@trivault/maintenance";
import { addTo, type BackupFacts, backupOf, timeOf } from "./backup-facts.ts";
import { deriveRuns } from "./derive-runs.ts";
import { missedRun } from "./fold-runs.ts";
import type { DatabaseRow, MissedRun, Restoration, Run, VerificationRow } from "./views.ts";

const KEPT_MS = 35 * DAY_MS;
export const SHOWN_MS = 30 * DAY_MS;
const STRIP = 30;
/** The limit for what people do by hand, or a schedule does to one tier. */
const MOST_ROWS = 500;
/** How long a row holds though nothing was recorded: a run that goes on may have become late. */
const RUNNING_HOLDS_MS = 60_000;

/** The audit log of the last 35 days, kept in memory: it is read once, and then only what was added. */
export interface History extends HealthHistory {
  /** Reads on. */
  update(now: Date): Promise<void>;
  row(database: string, tiers: readonly string[] | null, now: Date): DatabaseRow;
  /** Oldest first. */
  runs(database: string, tiers: readonly string[] | null, now: Date): Run[];
  missed(database: string): readonly MissedRun[];
  restores(database: string): readonly Restoration[];
  verifications(tier: string): readonly VerificationRow[];
  /** The run that a backup, or a failed attempt to make one, belongs to. */
  run(backupId: string, tiersOf: (database: string) => readonly string[] | null, now: Date): Run | null;
}

interface DatabaseHistory {
  readonly backups: Map<string, BackupFacts>;
  readonly missed: MissedRun[];
  readonly restores: Restoration[];
  lastRun: LastRun | null;
  row: { readonly row: DatabaseRow; readonly until: number; readonly tiers: readonly string[] | null } | null;
}

export function createHistory(audit: Pick<AuditLog, "query">, local: string): History {
  const databases = new Map<string, DatabaseHistory>();
  const verifications = new Map<string, VerificationRow[]>();
  /** When it failed, by copy. */
  const failedCopies = new Map<string, number>();
  let lastCopyAt: Date | null = null;
  let read: Pick<RecordedEvent, "at" | "seq"> | null = null;
  let prunedAt = 0;

  const of = (name: string): DatabaseHistory => {
    const known = databases.get(name);
    if (known) return known;
    const made: DatabaseHistory = { backups: new Map(), missed: [], restores: [], lastRun: null, row: null };
    databases.set(name, made);
    return made;
  };

  const take = (event: RecordedEvent) => {
    takeBackup(event);
    const { action, database, outcome, tier, backupId, error } = event;
    if (action === "backup.verified" && tier !== undefined) {
      const rows = verifications.get(tier) ?? [];
      verifications.set(tier, rows);
      push(rows, verificationOf(event));
    }
    if (action === "backup.copy" && tier !== undefined && tier !== local) {
      const name = copyName(backupId ?? "", tier);
      if (outcome === "ok") {
        lastCopyAt = event.at;
        failedCopies.delete(name);
      } else failedCopies.set(name, timeOf(event));
    }
    if (database === undefined) return;
    if (action === "backup.dump") of(database).lastRun = { outcome, at: event.at, problem: error?.message ?? null };
    if (action === "backup.restored") push(of(database).restores, restorationOf(event));
    const missed = missedRun(event);
    if (missed) push(of(database).missed, missed);
  };

  const takeBackup = (event: RecordedEvent) => {
    const about = backupOf(event);
    if (about === null) return;
    const history = of(about.database);
    if (addTo(history.backups, about, event)) history.row = null;
  };

  /** What is older than that is no longer shown. */
  const prune = (now: number) => {
    const oldest = now - KEPT_MS;
    for (const history of databases.values()) {
      for (const [id, { lastAt }] of history.backups) if (lastAt < oldest) history.backups.delete(id);
      dropOlder(history.missed, oldest);
      dropOlder(history.restores, oldest);
    }
    for (const rows of verifications.values()) dropOlder(rows, oldest);
    for (const [name, failedAt] of failedCopies) if (failedAt < oldest) failedCopies.delete(name);
  };

  const derived = (database: string, tiers: readonly string[] | null, now: Date) =>
    deriveRuns([...(databases.get(database)?.backups.values() ?? [])], { now, tiers });

  return {
    async update(now) {
      const from = read?.at ?? new Date(now.getTime() - KEPT_MS);
      for await (const event of audit.query({ from })) {
        // An audit log that was begun anew counts from one again, later.
        if (read !== null && event.at <= read.at && event.seq <= read.seq) continue;
        read = { at: event.at, seq: event.seq };
        take(event);
      }
      if (now.getTime() - prunedAt < HOUR_MS) return;
      prunedAt = now.getTime();
      prune(prunedAt);
    },
    row(name, tiers, now) {
      const history = of(name);
      if (history.row && history.row.tiers === tiers && now.getTime() < history.row.until) return history.row.row;
      const runs = derived(name, tiers, now).map(({ run }) => run);
      const isRunning = runs.some(({ state }) => state === "running");
      const holds = isRunning ? RUNNING_HOLDS_MS : HOUR_MS;
      history.row = { row: rowOf(name, runs, now), until: now.getTime() + holds, tiers };
      return history.row.row;
    },
    runs: (database, tiers, now) => derived(database, tiers, now).map(({ run }) => run),
    missed: (database) => databases.get(database)?.missed ?? [],
    restores: (database) => databases.get(database)?.restores ?? [],
    verifications: (tier) => verifications.get(tier) ?? [],
    run(backupId, tiersOf, now) {
      for (const [name, { backups }] of databases) {
        if (!backups.has(backupId)) continue;
        return derived(name, tiersOf(name), now).find(({ ids }) => ids.includes(backupId))?.run ?? null;
      }
      return null;
    },
    lastRun: (database) => databases.get(database)?.lastRun ?? null,
    get lastCopyAt() {
      return lastCopyAt;
    },
    isFailedCopy: (backupId, tier) => failedCopies.has(copyName(backupId, tier)),
  };
}

function rowOf(name: string, runs: readonly Run[], now: Date): DatabaseRow {
  const from = new Date(now.getTime() - SHOWN_MS).toISOString();
  const ended = runs.filter(({ startedAt, state }) => startedAt >= from && state !== "running");
  return {
    name,
    strip: runs.slice(-STRIP).map(({ backupId, startedAt, state, seconds, bytes, rows }) => {
      return { backupId, startedAt, state, seconds, bytes, rows };
    }),
    runs: ended.length,
    runsOk: ended.filter(({ state }) => state === "ok").length,
  };
}

function restorationOf(event: RecordedEvent): Restoration {
  const { outcome, backupId, actor, seconds, bytes, error, details } = event;
  const target = details?.["target"];
  return {
    at: new Date(timeOf(event)).toISOString(),
    backupId: backupId ?? null,
    outcome,
    actor,
    seconds: seconds ?? null,
    bytes: bytes ?? null,
    target: typeof target === "string" ? target : null,
    problem: error?.message ?? null,
  };
}

function verificationOf(event: RecordedEvent): VerificationRow {
  const { database, backupId, tier, outcome, error } = event;
  return {
    at: new Date(timeOf(event)).toISOString(),
    database: database ?? null,
    backupId: backupId ?? null,
    tier: tier ?? null,
    good: outcome === "ok",
    problem: error?.message ?? null,
  };
}

function push<T>(rows: T[], row: T): void {
  rows.push(row);
  if (rows.length > 2 * MOST_ROWS) rows.splice(0, rows.length - MOST_ROWS);
}

function dropOlder(rows: { readonly at: string }[], time: number): void {
  const oldest = new Date(time).toISOString();
  const first = rows.findIndex(({ at }) => at >= oldest);
  rows.splice(0, first === -1 ? rows.length : first);
}
