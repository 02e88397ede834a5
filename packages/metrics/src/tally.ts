import path from "node:path";
import type { AuditAction, AuditLog, RecordedEvent } from "@trivault/audit";
import { type Config, DAY_MS, ensureFolder, type Logger, messageOf, publishJson, readJson } from "@trivault/core";
import { z } from "zod";

/**
 * Counters that survive restarts, because they are counted from the audit log: `BACKUP_DIR/.trivault/metrics.json` holds the sums
 * and the last event that is in them, and whoever reads it goes on from there. Where it is missing (a first start), counting
 * begins with what the audit log has of the last 35 days.
 */
const WINDOW_MS = 35 * DAY_MS;
/** What was not heard of for so long is no longer shown. */
const FORGET_MS = 400 * DAY_MS;
/** Codes of one stage that are named; all others are OTHER. */
const MOST_CODES = 20;

const STAGES = {
  "backup.dump": "dump",
  "backup.encrypt": "encrypt",
  "backup.copy": "copy",
  "backup.verified": "verify",
  "backup.restored": "restore",
} as const satisfies Partial<Record<AuditAction, string>>;
const ACTIONS = [...(Object.keys(STAGES) as (keyof typeof STAGES)[]), "schedule.missed", "backup.deleted"] as const;

const count = z.number().nonnegative();
const counts = z.record(z.string(), count);
const rowSchema = z.object({
  database: z.string(),
  stage: z.enum(["dump", "encrypt", "copy", "verify", "restore"]),
  /** Empty for those that belong to no tier. */
  tier: z.string(),
  outcomes: z.object({ ok: count, failed: count, refused: count }),
  codes: counts,
  bytes: count,
  seconds: count,
  lastOk: z.boolean(),
  lastAt: count,
  /** The newest one that succeeded. */
  success: z.object({ at: count, seconds: count }).nullable(),
});
const stateSchema = z.object({
  version: z.literal(1),
  /** The newest event that is counted; times are milliseconds. */
  at: count,
  seq: count,
  rows: z.array(rowSchema),
  missed: counts,
  deleted: counts,
});

export type TallyRow = z.infer<typeof rowSchema>;
type State = z.infer<typeof stateSchema>;

export interface Tally {
  readonly rows: readonly TallyRow[];
  /** Missed slots by database. */
  readonly missed: Readonly<Record<string, number>>;
  /** Copies that retention deleted, by tier. */
  readonly deleted: Readonly<Record<string, number>>;
}

export interface TallyDeps {
  readonly config: Pick<Config, "backupDir">;
  readonly audit: Pick<AuditLog, "query">;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Each call counts what was recorded since the one before; calls wait for one another. */
export function createTally(deps: TallyDeps): () => Promise<Tally> {
  let loading: Promise<State> | null = null;
  let counting: Promise<Tally> | null = null;
  const catchUp = async () => {
    const state = await (loading ??= load(deps));
    const counted = await countNew(state, deps.audit);
    if (counted) await save(state, deps);
    return state;
  };
  return () => (counting ??= catchUp().finally(() => (counting = null)));
}

function fileOf({ backupDir }: Pick<Config, "backupDir">): string {
  return path.join(backupDir, ".trivault/metrics.json");
}

async function load({ config, now, log }: TallyDeps): Promise<State> {
  const empty: State = {
    version: 1,
    at: now().getTime() - WINDOW_MS,
    seq: 0,
    rows: [],
    missed: {},
    deleted: {},
  };
  try {
    const state = (await readJson(fileOf(config), stateSchema)) ?? empty;
    return { ...state, rows: state.rows.filter(({ lastAt }) => now().getTime() - lastAt < FORGET_MS) };
  } catch (error) {
    log.warn(
      { reason: messageOf(error) },
      "the counts of /metrics could not be read, and are made anew from the audit log",
    );
    return empty;
  }
}

async function save(state: State, { config, log }: TallyDeps): Promise<void> {
  try {
    await ensureFolder(path.dirname(fileOf(config)));
    await publishJson(fileOf(config), state);
  } catch (error) {
    // They are in memory, and after a restart the audit log is counted again from where the file ends.
    log.warn({ reason: messageOf(error) }, "the counts of /metrics could not be kept");
  }
}

async function countNew(state: State, audit: Pick<AuditLog, "query">): Promise<boolean> {
  const rows = new Map(state.rows.map((row) => [keyOf(row), row]));
  let counted = false;
  for await (const event of audit.query({ from: new Date(state.at), action: ACTIONS })) {
    const at = event.at.getTime();
    if (at === state.at && event.seq <= state.seq) continue;
    state.at = at;
    state.seq = event.seq;
    counted = true;
    if (event.action === "backup.deleted") add(state.deleted, event.outcome === "ok" ? event.tier : undefined, 1);
    else if (event.action === "schedule.missed") add(state.missed, event.database, missedOf(event));
    else addAttempt(state, rows, event);
  }
  return counted;
}

function addAttempt(state: State, rows: Map<string, TallyRow>, event: RecordedEvent): void {
  const { database, tier = "", outcome, seconds = 0, bytes = 0 } = event;
  const stage = STAGES[event.action as keyof typeof STAGES];
  if (database === undefined) return;
  const place = { database, stage, tier };
  let row = rows.get(keyOf(place));
  if (row === undefined) {
    row = {
      ...place,
      outcomes: { ok: 0, failed: 0, refused: 0 },
      codes: {},
      bytes: 0,
      seconds: 0,
      lastOk: false,
      lastAt: 0,
      success: null,
    };
    rows.set(keyOf(place), row);
    state.rows.push(row);
  }
  const at = event.at.getTime();
  row.outcomes[outcome]++;
  row.bytes += Math.max(0, bytes);
  row.seconds += Math.max(0, seconds);
  row.lastOk = outcome === "ok";
  row.lastAt = at;
  if (outcome === "ok") row.success = { at, seconds: Math.max(0, seconds) };
  else add(row.codes, codeLabel(row.codes, event.error?.code), 1);
}

/** What a program of the system says may be anything; a label must not. */
function codeLabel(codes: Readonly<Record<string, number>>, code = "UNKNOWN"): string {
  const isNew = codes[code] === undefined;
  if (!/^[A-Z0-9_]{1,40}$/.test(code) || (isNew && Object.keys(codes).length >= MOST_CODES)) return "OTHER";
  return code;
}

function missedOf({ details }: RecordedEvent): number {
  const missed = details?.["missed"];
  return typeof missed === "number" && missed > 0 ? missed : 1;
}

function add(sums: Record<string, number>, key: string | undefined, value: number): void {
  if (key !== undefined) sums[key] = (sums[key] ?? 0) + value;
}

function keyOf({ database, stage, tier }: Pick<TallyRow, "database" | "stage" | "tier">): string {
  return JSON.stringify([database, stage, tier]);
}
