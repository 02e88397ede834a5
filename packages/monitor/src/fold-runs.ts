import type { AuditLog, RecordedEvent } from "@trivault/audit";
import { addTo, type BackupFacts, backupOf, FACT_ACTIONS, timeOf } from "./backup-facts.ts";
import { COPY_LATE_MS, deriveRuns, DUMP_LATE_MS } from "./derive-runs.ts";
import type { MissedRun, Run } from "./views.ts";

export interface FoldOptions {
  /** Separates those that still run from those that are late; without it, the time of the newest event. */
  readonly now?: Date;
  /** The tiers that a database's backups shall be on, its local one first. Without it, copies that the audit log names count. */
  readonly tiersOf?: (database: string) => readonly string[] | null;
}

/** One run for each backup that was begun, oldest first. The order of the events does not matter, nor that one comes twice. */
export function foldRuns(events: Iterable<RecordedEvent>, { now, tiersOf }: FoldOptions = {}): Run[] {
  const databases = new Map<string, Map<string, BackupFacts>>();
  let newest = 0;
  for (const event of inOrder(events)) {
    newest = Math.max(newest, timeOf(event));
    const about = backupOf(event);
    if (about === null) continue;
    const backups = databases.get(about.database) ?? new Map<string, BackupFacts>();
    if (addTo(backups, about, event)) databases.set(about.database, backups);
  }
  return [...databases]
    .flatMap(([name, backups]) => {
      const rules = { now: now ?? new Date(newest), tiers: tiersOf?.(name) ?? null };
      return deriveRuns([...backups.values()], rules).map(({ run }) => run);
    })
    .toSorted((a, b) => (`${a.startedAt} ${a.backupId}` < `${b.startedAt} ${b.backupId}` ? -1 : 1));
}

/** Slots that were passed over; null for any other event. */
export function missedRun(event: RecordedEvent): MissedRun | null {
  if (event.action !== "schedule.missed" || event.database === undefined) return null;
  const slots = event.details?.["missed"];
  // One that is only late was run.
  if (typeof slots !== "number" || slots < 1) return null;
  return { database: event.database, at: new Date(timeOf(event)).toISOString(), slots };
}

/** The runs that were begun in a period, however long ago their record; and what was missed in it. */
export async function readRuns(
  audit: Pick<AuditLog, "query">,
  { from, to }: { readonly from: Date; readonly to: Date },
  options: FoldOptions = {},
): Promise<{ runs: Run[]; missed: MissedRun[] }> {
  const now = options.now ?? to;
  // What was begun at the end of the period ends after it.
  const until = new Date(Math.max(to.getTime(), Math.min(now.getTime(), to.getTime() + DUMP_LATE_MS + COPY_LATE_MS)));
  const action = [...FACT_ACTIONS, "schedule.missed"] as const;
  const events = await Array.fromAsync(audit.query({ from, to: until, action }));
  const within = (time: string) => time >= from.toISOString() && time <= to.toISOString();
  return {
    runs: foldRuns(events, { ...options, now }).filter(({ startedAt }) => within(startedAt)),
    missed: inOrder(events)
      .map(missedRun)
      .filter((missed) => missed !== null && within(missed.at))
      .filter((missed) => missed !== null),
  };
}

/** By the audit log's own order, each once. */
function inOrder(events: Iterable<RecordedEvent>): RecordedEvent[] {
  const known = new Map<string, RecordedEvent>();
  for (const event of events) known.set(`${event.at.toISOString()} ${event.seq}`, event);
  return [...known.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime() || a.seq - b.seq);
}
