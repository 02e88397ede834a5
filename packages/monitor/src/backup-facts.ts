import type { RecordedEvent } from "@trivault/audit";
import { isBackupId } from "@trivault/core";

/** What the audit log shows of one backup, that is: of one attempt to make one. Kept small, as there are very many. */
export interface BackupFacts {
  readonly backupId: string;
  readonly database: string;
  actor: string;
  slot: string | null;
  /** When somebody asked for it; null: nobody did, the schedule did. Milliseconds, as all times here. */
  requestedAt: number | null;
  dump: StageFacts | null;
  encrypt: StageFacts | null;
  /** A dump that was made by others, and sealed by us. */
  adopted: StageFacts | null;
  copies: Readonly<Record<string, StageFacts>>;
  firstAt: number;
  lastAt: number;
}

/** How a stage ended. Once it was well it stays well: a later failure is one of mending a copy, and not of this run. */
export interface StageFacts {
  readonly outcome: "ok" | "failed" | "refused";
  readonly at: number;
  readonly seconds: number;
  readonly bytes: number;
  /** The rows of a dump whose tables were counted. */
  readonly rows: number | null;
  /** Events of it, up to the one that counts. */
  readonly events: number;
  /** The number of the attempt, as the queue counts. */
  readonly attempt: number;
  /** It failed, and is tried again. */
  readonly retried: boolean;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** The actions that facts are made of. */
export const FACT_ACTIONS = [
  "backup.requested",
  "backup.dump",
  "backup.encrypt",
  "backup.copy",
  "backup.adopted",
] as const;

/** The backup that an event is about; null where it is about none. */
export function backupOf(event: RecordedEvent): { readonly database: string; readonly backupId: string } | null {
  const { action, database, backupId, details } = event;
  const id = action === "backup.requested" ? details?.["run"] : backupId;
  if (!(FACT_ACTIONS as readonly string[]).includes(action)) return null;
  return database !== undefined && typeof id === "string" ? { database, backupId: id } : null;
}

/** Adds an event to the facts of its backup, among those of its database; false where its id is none. */
export function addTo(
  backups: Map<string, BackupFacts>,
  { database, backupId }: { readonly database: string; readonly backupId: string },
  event: RecordedEvent,
): boolean {
  let facts = backups.get(backupId);
  if (facts === undefined) {
    if (!isBackupId(backupId)) return false;
    facts = newFacts(database, backupId, event);
    backups.set(backupId, facts);
  }
  addEvent(facts, event);
  return true;
}

function newFacts(database: string, backupId: string, event: RecordedEvent): BackupFacts {
  const at = timeOf(event);
  return {
    backupId,
    database,
    actor: event.actor,
    slot: null,
    requestedAt: null,
    dump: null,
    encrypt: null,
    adopted: null,
    copies: {},
    firstAt: at,
    lastAt: at,
  };
}

/** Takes in an event; they come in the order of the audit log. */
function addEvent(facts: BackupFacts, event: RecordedEvent): void {
  const at = timeOf(event);
  facts.firstAt = Math.min(facts.firstAt, at);
  facts.lastAt = Math.max(facts.lastAt, at);
  switch (event.action) {
    case "backup.requested":
      facts.requestedAt ??= at;
      facts.actor = event.actor;
      break;
    case "backup.dump": {
      const slot = event.details?.["slot"];
      if (typeof slot === "string") facts.slot ??= slot;
      facts.actor = event.actor;
      facts.dump = ended(facts.dump, event);
      break;
    }
    case "backup.encrypt":
      facts.encrypt = ended(facts.encrypt, event);
      break;
    case "backup.adopted":
      if (event.outcome === "ok") facts.adopted = ended(facts.adopted, event);
      break;
    case "backup.copy":
      if (event.tier !== undefined) {
        facts.copies = { ...facts.copies, [event.tier]: ended(facts.copies[event.tier] ?? null, event) };
      }
      break;
    default:
  }
}

/** When it happened, by the clock of who recorded it. */
export function timeOf({ at, time }: RecordedEvent): number {
  return (time ?? at).getTime();
}

function ended(before: StageFacts | null, event: RecordedEvent): StageFacts {
  if (before?.outcome === "ok") return before;
  const { outcome, seconds = 0, bytes = 0, error, details } = event;
  const attempt = details?.["attempt"];
  return {
    outcome,
    at: timeOf(event),
    seconds,
    bytes,
    rows: typeof details?.["rows"] === "number" ? details["rows"] : null,
    events: (before?.events ?? 0) + 1,
    attempt: typeof attempt === "number" ? attempt : 1,
    retried: details?.["retried"] === true,
    problem: outcome === "ok" ? null : (error ?? { code: "UNKNOWN", message: "no reason was recorded" }),
  };
}
