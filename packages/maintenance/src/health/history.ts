import { DAY_MS } from "@trivault/core";
import type { AuditLog, AuditOutcome } from "@trivault/audit";

const LOOK_BACK_MS = 35 * DAY_MS;
/** An audit log that is longer than this is not read to its beginning for the sake of one database that was never run. */
const MOST_EVENTS = 200_000;

/** How the last dump of a database ended. */
export interface LastRun {
  readonly outcome: AuditOutcome;
  readonly at: Date;
  readonly problem: string | null;
}

/** A copy that shall be there and is not. */
export interface LackingCopy {
  readonly database: string;
  readonly backupId: string;
  readonly tier: string;
}

/** What health needs to know of the audit log. */
export interface HealthHistory {
  lastRun(database: string): LastRun | null;
  /** When a copy was last brought to a tier other than the local one. */
  readonly lastCopyAt: Date | null;
  /** Whether the newest copy that was tried of a backup to a tier failed. */
  isFailedCopy(backupId: string, tier: string): boolean;
}

export function copyName(backupId: string, tier: string): string {
  return `${backupId}.${tier}`;
}

/** What the audit log shows of runs and copies, newest first, and no further back than there is something to find. */
export async function readHistory(
  audit: Pick<AuditLog, "query">,
  wanted: { readonly databases: readonly string[]; readonly copies: readonly LackingCopy[]; readonly local: string },
  now: Date,
): Promise<HealthHistory> {
  const lastRuns = new Map<string, LastRun>();
  const outcomes = new Map<string, AuditOutcome>();
  const copies = new Set(wanted.copies.map(({ backupId, tier }) => copyName(backupId, tier)));
  const missing = new Set(wanted.databases);
  let lastCopyAt: Date | null = null;
  let events = 0;
  const filter = { from: new Date(now.getTime() - LOOK_BACK_MS), action: ["backup.dump", "backup.copy"] } as const;
  for await (const event of audit.query(filter, "newest-first")) {
    const { action, database, backupId, tier, outcome, at, error } = event;
    if (action === "backup.dump" && database !== undefined && missing.delete(database)) {
      lastRuns.set(database, { outcome, at, problem: error?.message ?? null });
    }
    if (action === "backup.copy" && tier !== undefined && tier !== wanted.local) {
      if (outcome === "ok") lastCopyAt ??= at;
      const name = copyName(backupId ?? "", tier);
      if (copies.has(name) && !outcomes.has(name)) outcomes.set(name, outcome);
    }
    if (++events >= MOST_EVENTS) break;
    if (missing.size === 0 && lastCopyAt !== null && outcomes.size === copies.size) break;
  }
  return {
    lastRun: (database) => lastRuns.get(database) ?? null,
    lastCopyAt,
    isFailedCopy: (backupId, tier) => (outcomes.get(copyName(backupId, tier)) ?? "ok") !== "ok",
  };
}
