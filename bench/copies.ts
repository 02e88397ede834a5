import { type BackupRef, readManifest } from "@trivault/backup";
import { backupPrefix, type Config, totalSize } from "@trivault/core";
import { openTiers } from "@trivault/storage";

/** The size of a backup; throws unless every tier holds a complete copy of it, all of the same size. */
export async function sealedBytes(config: Config, ref: BackupRef): Promise<number> {
  const tiers = openTiers(config.tiers);
  try {
    const sizes = await Promise.all(
      tiers.map(async (tier) => {
        const stored = await readManifest(tier, ref);
        if (!stored)
          throw new Error(`${tier.name} has no complete copy of ${ref.backupId}, although all stages succeeded.`);
        return totalSize(stored.signed.manifest);
      }),
    );
    const [size = 0, ...others] = sizes;
    if (others.some((other) => other !== size))
      throw new Error(`The copies of ${ref.backupId} differ: ${sizes.join(", ")}.`);
    return size;
  } finally {
    await Promise.all(tiers.map((tier) => tier.store.close()));
  }
}

/** One tier after the other, the local one first: maintenance copies what only the local tier has. */
export async function removeCopies(config: Config, ref: BackupRef): Promise<void> {
  for (const { store } of openTiers(config.tiers)) {
    for await (const { key } of store.list(backupPrefix(ref.database, ref.backupId))) await store.delete(key);
    await store.close();
  }
}
