import { type BackupList, type BackupSummary, listBackups } from "@trivault/backup";
import type { ApiDeps } from "./deps.ts";

/** A tier that takes longer than this to list counts as unreachable, for this answer. */
export const LISTING_MS = 20_000;

export interface FoundBackup {
  readonly backup: BackupSummary | null;
  readonly unreachable: BackupList["unreachable"];
}

/** A backup on the tiers, by listing no more than its own folder where its database can be guessed. */
export async function findBackup(
  { config, tiers }: ApiDeps,
  backupId: string,
  database: string | null,
  signal: AbortSignal,
): Promise<FoundBackup> {
  const guesses = database === null ? config.databases.map(({ name }) => name) : [database];
  for (const name of guesses) {
    const { backups, unreachable } = await listBackups(tiers, { database: name, backupId }, signal);
    const [backup = null] = backups;
    if (backup !== null || database !== null) return { backup, unreachable };
  }
  const { backups, unreachable } = await listBackups(tiers, undefined, signal);
  return { backup: backups.find(({ id }) => id === backupId) ?? null, unreachable };
}
