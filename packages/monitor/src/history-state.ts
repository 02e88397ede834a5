import type { RecordedEvent } from "@trivault/audit";
import { DAY_MS } from "@trivault/core";
import { copyName, type LastRun } from "@trivault/maintenance";
import { addTo, type BackupFacts, backupOf, timeOf } from "./backup-facts.ts";
import { missedRun } from "./fold-runs.ts";
import type { DatabaseRow, MissedRun, Restoration, VerificationRow } from "./views.ts";

export const KEPT_MS = 35 * DAY_MS;
/** The limit for what people do by hand, or a schedule does to one tier. */
const MOST_ROWS = 500;

/** What the events of the audit log amount to. */
export interface HistoryState {
  readonly databases: Map<string, DatabaseHistory>;
  /** By tier. */
  readonly verifications: Map<string, VerificationRow[]>;
  /** When it failed, by copy. */
  readonly failedCopies: Map<string, number>;
  lastCopyAt: Date | null;
}

export interface DatabaseHistory {
  /** By id. Those that come from a file are read when they are asked for: many databases are shown by their row alone. */
  readonly backups: () => Map<string, BackupFacts>;
  /** The last event of each came at this time or later; milliseconds. */
  oldestAt: number;
  readonly missed: MissedRun[];
  readonly restores: Restoration[];
  lastRun: LastRun | null;
  /** As it was derived last; null where an event came since. */
  row: KeptRow | null;
}

export interface KeptRow {
  readonly row: DatabaseRow;
  /** Between these two it holds; milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly tiers: readonly string[] | null;
}

export function newState(): HistoryState {
  return { databases: new Map(), verifications: new Map(), failedCopies: new Map(), lastCopyAt: null };
}

export function historyOf({ databases }: HistoryState, name: string): DatabaseHistory {
  const known = databases.get(name);
  if (known) return known;
  const backups = new Map<string, BackupFacts>();
  const rest = { oldestAt: Infinity, missed: [], restores: [], lastRun: null, row: null };
  const made: DatabaseHistory = { backups: () => backups, ...rest };
  databases.set(name, made);
  return made;
}

/** Takes in an event; they come in the order of the audit log. `local` is the name of the first tier. */
export function takeEvent(state: HistoryState, event: RecordedEvent, local: string): void {
  takeBackup(state, event);
  const { action, database, outcome, tier, backupId, error } = event;
  if (action === "backup.verified" && tier !== undefined) {
    const rows = state.verifications.get(tier) ?? [];
    state.verifications.set(tier, rows);
    push(rows, verificationOf(event));
  }
  if (action === "backup.copy" && tier !== undefined && tier !== local) {
    const name = copyName(backupId ?? "", tier);
    if (outcome === "ok") {
      state.lastCopyAt = event.at;
      state.failedCopies.delete(name);
    } else state.failedCopies.set(name, timeOf(event));
  }
  if (database === undefined) return;
  const history = () => historyOf(state, database);
  if (action === "backup.dump") history().lastRun = { outcome, at: event.at, problem: error?.message ?? null };
  if (action === "backup.restored") push(history().restores, restorationOf(event));
  const missed = missedRun(event);
  if (missed) push(history().missed, missed);
}

function takeBackup(state: HistoryState, event: RecordedEvent): void {
  const about = backupOf(event);
  if (about === null) return;
  const history = historyOf(state, about.database);
  if (!addTo(history.backups(), about, event)) return;
  history.oldestAt = Math.min(history.oldestAt, timeOf(event));
  history.row = null;
}

/** Forgets what is no longer shown. */
export function pruneState({ databases, verifications, failedCopies }: HistoryState, now: number): void {
  const oldest = now - KEPT_MS;
  for (const history of databases.values()) {
    if (history.oldestAt < oldest) history.oldestAt = pruneBackups(history.backups(), oldest);
    dropOlder(history.missed, oldest);
    dropOlder(history.restores, oldest);
  }
  for (const rows of verifications.values()) dropOlder(rows, oldest);
  for (const [name, failedAt] of failedCopies) if (failedAt < oldest) failedCopies.delete(name);
}

/** When the last event of the oldest one that stays came. */
function pruneBackups(backups: Map<string, BackupFacts>, oldest: number): number {
  let first = Infinity;
  for (const [id, { lastAt }] of backups) {
    if (lastAt < oldest) backups.delete(id);
    else first = Math.min(first, lastAt);
  }
  return first;
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
