import { backupPrefix, type Config, splitKey } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import type { StoredManifest } from "./copies.ts";
import type { BackupRef } from "./site.ts";
import { readNotes } from "./tier-notes.ts";

/** The sizes of a backup's files on a tier, by name. */
export async function sizesOn(tier: Tier, ref: BackupRef, signal: AbortSignal): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of tier.store.list(backupPrefix(ref.database, ref.backupId), { signal })) {
    const file = splitKey(key)?.file;
    if (file !== undefined) sizes.set(file, size);
  }
  return sizes;
}

/** By its listing, and as far as nobody found wrong bytes in it. */
export async function seemsWhole(
  config: Pick<Config, "backupDir">,
  tier: Tier,
  ref: BackupRef,
  manifest: StoredManifest,
  signal: AbortSignal,
): Promise<boolean> {
  const isThis = ({ database, backupId }: BackupRef) => database === ref.database && backupId === ref.backupId;
  if ((await readNotes(config, tier.name, "damaged")).some(isThis)) return false;
  return listsAll(await sizesOn(tier, ref, signal), manifest);
}

function listsAll(sizes: ReadonlyMap<string, number>, { signed }: StoredManifest): boolean {
  const { segments } = signed.manifest;
  return sizes.size === segments.length + 1 && segments.every(({ name, size }) => sizes.get(name) === size);
}
