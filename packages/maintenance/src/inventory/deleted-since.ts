import type { AuditAction, AuditLog } from "@trivault/audit";
import { type BackupRef, readNotes } from "@trivault/backup/look";
import { backupKey, type Config, MANIFEST } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { nameOf } from "./cache.ts";

export type History = Pick<AuditLog, "query">;

/**
 * Whether a copy that seems bad or missing is simply one that this site deleted, be it since it was listed. A manifest goes
 * first, so where it is still there the copy was not. One that is gone, and that nobody here deleted, is not explained.
 */
export async function isDeletedByUs(
  { config, history }: { readonly config: Pick<Config, "backupDir">; readonly history: History },
  tier: Tier,
  ref: BackupRef,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await isGone(tier, ref, signal))) return false;
  // While it is being deleted, and until the next scan.
  if ((await readNotes(config, tier.name, "deleted")).some((note) => nameOf(note) === nameOf(ref))) return true;
  const action = ["backup.deleted", "backup.copy", "tier.repaired"] satisfies AuditAction[];
  const filter = { backupId: ref.backupId, tier: tier.name, action, outcome: "ok" } as const;
  for await (const last of history.query(filter, "newest-first")) return last.action === "backup.deleted";
  return false;
}

/** Not where the tier does not say. */
export async function isGone(tier: Tier, ref: BackupRef, signal: AbortSignal): Promise<boolean> {
  try {
    return (await tier.store.stat(backupKey(ref.database, ref.backupId, MANIFEST), { signal })) === null;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
