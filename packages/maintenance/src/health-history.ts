import type { AuditLog, RecordedEvent } from "@trivault/audit";

const LOOK_BACK_MS = 35 * 86_400_000;
/** A record that is longer than this is not read to its beginning for the sake of one database that was never run. */
const MOST_EVENTS = 200_000;

export interface History {
  /** By database: how its last dump ended. */
  readonly lastRuns: ReadonlyMap<string, RecordedEvent>;
  /** When a copy was last brought to a tier other than the local one. */
  readonly lastCopyAt: Date | null;
  /** Whether the newest copy that was tried of a backup to a tier failed; by `copyName`. */
  readonly failedCopies: ReadonlySet<string>;
}

export function copyName(backupId: string, tier: string): string {
  return `${backupId}.${tier}`;
}

/** What the record tells of runs and copies, newest first, and no further back than there is something to find. */
export async function readHistory(
  audit: Pick<AuditLog, "query">,
  wanted: { readonly databases: readonly string[]; readonly copies: ReadonlySet<string>; readonly local: string },
  now: Date,
): Promise<History> {
  const lastRuns = new Map<string, RecordedEvent>();
  const copies = new Map<string, RecordedEvent>();
  const missing = new Set(wanted.databases);
  let lastCopyAt: Date | null = null;
  let events = 0;
  const filter = { from: new Date(now.getTime() - LOOK_BACK_MS), action: ["backup.dump", "backup.copy"] } as const;
  for await (const event of audit.query(filter, "newest-first")) {
    const { action, database, backupId, tier } = event;
    if (action === "backup.dump" && database !== undefined && missing.delete(database)) lastRuns.set(database, event);
    if (action === "backup.copy" && tier !== undefined && tier !== wanted.local) {
      if (event.outcome === "ok") lastCopyAt ??= event.at;
      const name = copyName(backupId ?? "", tier);
      if (wanted.copies.has(name) && !copies.has(name)) copies.set(name, event);
    }
    if (++events >= MOST_EVENTS) break;
    if (missing.size === 0 && lastCopyAt !== null && copies.size === wanted.copies.size) break;
  }
  const failed = [...copies].filter(([, { outcome }]) => outcome !== "ok").map(([name]) => name);
  return { lastRuns, lastCopyAt, failedCopies: new Set(failed) };
}
