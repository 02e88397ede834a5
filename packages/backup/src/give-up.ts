import { removePartial } from "./copies.ts";
import { endRun, markAborted, readDumped, runDirectory } from "./run-directory.ts";
import type { BackupRef, Site } from "./site.ts";

/**
 * Fences a backup off for good, for when it cannot be completed: the dump that waits for its encryption ends, and so do the
 * copies. Idempotent; does nothing to a complete backup.
 */
export async function giveUp(site: Site, ref: BackupRef, reason: string): Promise<void> {
  const run = runDirectory(site.config, ref.backupId);
  // A dump that still runs sees the mark, and takes its plaintext away itself.
  if ((await readDumped(run)) === null) await markAborted(run, reason).catch(() => endRun(run, reason));
  else await endRun(run, reason);
  await removePartial(site.tiers[0], ref);
}
