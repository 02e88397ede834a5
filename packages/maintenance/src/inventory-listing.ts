import { databaseOf, MANIFEST, splitKey } from "@trivault/core";
import type { StoredObject, Tier } from "@trivault/storage";
import type { InventoryCopy } from "./inventory.ts";

/** What a listing alone tells of a copy. */
export type ListedCopy = Omit<InventoryCopy, "state" | "expected">;

/** Every copy on a tier, whole or not, in the order of their keys. */
export async function listTier(tier: Tier, signal: AbortSignal): Promise<ListedCopy[]> {
  const copies: Mutable[] = [];
  const databases = new Map<string, string | null>();
  let current: Mutable | null = null;
  let currentFolder = "";
  for await (const object of tier.store.list("", { signal })) {
    const parts = splitKey(object.key);
    if (parts === null) continue;
    const folder = `${parts.directory}/${parts.backupId}`;
    if (current === null || folder !== currentFolder) {
      const database = databases.get(parts.directory) ?? databaseOf(parts.directory);
      if (database === null) continue;
      databases.set(parts.directory, database);
      current = beginCopy(database, parts.backupId);
      currentFolder = folder;
      copies.push(current);
    }
    count(current, object, parts.file === MANIFEST);
  }
  return copies;
}

type Mutable = { -readonly [K in keyof ListedCopy]: ListedCopy[K] } & { classes: Record<string, number> };

function beginCopy(database: string, backupId: string): Mutable {
  return { database, backupId, bytes: 0, objects: 0, newestAt: new Date(0), classes: {}, manifest: null };
}

function count(copy: Mutable, { size, modifiedAt, storageClass }: StoredObject, isManifest: boolean): void {
  copy.bytes += size;
  copy.objects++;
  if (modifiedAt > copy.newestAt) copy.newestAt = modifiedAt;
  if (storageClass !== undefined) copy.classes[storageClass] = (copy.classes[storageClass] ?? 0) + size;
  if (isManifest) copy.manifest = { size, modifiedAt };
}
