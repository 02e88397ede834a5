import { type BackupRef, forEachConcurrently, noteDeletion } from "@trivault/backup";
import { backupKey, backupPrefix, type Config, MANIFEST, splitKey } from "@trivault/core";
import type { Tier } from "@trivault/storage";

/** Deletes in flight to one tier. */
const IN_FLIGHT = 8;

/**
 * Deletes a copy, its manifest first: should this be cut short, what is left has no manifest, which is no copy but an orphan
 * that is swept. Answers the bytes that were freed; null where nothing was deleted, as the site's disk does
 * not take the note of it. From that disk itself something goes all the same: that may be what frees it.
 */
export async function deleteCopy(
  config: Pick<Config, "backupDir">,
  tier: Tier,
  ref: BackupRef,
  signal: AbortSignal,
): Promise<number | null> {
  const objects = await Array.fromAsync(tier.store.list(backupPrefix(ref.database, ref.backupId), { signal }));
  const noted = await noteDeletion(config, tier.name, ref);
  if (!noted && tier.kind !== "local") return null;
  await tier.store.delete(backupKey(ref.database, ref.backupId, MANIFEST), { signal });
  const segments = objects.filter(({ key }) => splitKey(key)?.file !== MANIFEST);
  await forEachConcurrently(
    async function* each() {
      yield* segments;
    },
    { limit: IN_FLIGHT, signal },
    ({ key }, inner) => tier.store.delete(key, { signal: inner }),
  );
  if (!noted) await noteDeletion(config, tier.name, ref);
  return objects.reduce((sum, { size }) => sum + size, 0);
}
