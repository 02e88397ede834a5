import type { DatabasePage, Overview, Run, TierPage } from "./views.ts";

/**
 * Watches a site from the outside: files and tiers, no queue. It lives in a thread of its own, so that a site of hundreds of
 * thousands of backups keeps nobody waiting. All answers are of the newest look, a few seconds old.
 */
export interface Observer {
  /** The first one is waited for. */
  overview(): Promise<Overview>;
  /** Null where no such database is configured nor has backups. */
  database(name: string): Promise<DatabasePage | null>;
  tier(name: string): Promise<TierPage | null>;
  /** How a backup came about; null where the audit log of the last 35 days does not know it. */
  run(backupId: string): Promise<Run | null>;
  /** Looks now; resolves when that look is over. */
  refresh(): Promise<void>;
  /** Calls back after each look; ends when the signal does. */
  onLook(listener: (overview: Overview) => void, signal: AbortSignal): void;
  close(): Promise<void>;
}
