import {
  backupKey,
  backupPrefix,
  codeOf,
  databaseOf,
  decodeManifest,
  MANIFEST,
  MAX_MANIFEST_BYTES,
  type SignedManifest,
  splitKey,
} from "@trivault/core";
import { readAll, type StoredObject, type Tier } from "@trivault/storage";
import type { BackupRef } from "./site.ts";

export interface StoredManifest {
  readonly signed: SignedManifest;
  /** As it lies on the tier: a copy carries the very same bytes. */
  readonly bytes: Uint8Array;
}

/** The manifest of a copy; null where there is none, which means that there is no copy. Throws CORRUPT. */
export async function readManifest(tier: Tier, ref: BackupRef, signal?: AbortSignal): Promise<StoredManifest | null> {
  const key = backupKey(ref.database, ref.backupId, MANIFEST);
  try {
    const bytes = await readAll(tier.store.get(key, { signal }), MAX_MANIFEST_BYTES);
    return { signed: decodeManifest(bytes, { database: ref.database, id: ref.backupId }), bytes };
  } catch (error) {
    if (codeOf(error) === "NOT_FOUND") return null;
    throw error;
  }
}

/** What lies on a tier of one backup, complete or not. */
export interface Copy extends BackupRef {
  readonly complete: boolean;
  readonly bytes: number;
  readonly objects: number;
  readonly newestAt: Date;
}

/** Every copy on a tier, of one backup, of one database or of all, by listing alone. */
export async function listCopies(tier: Tier, of?: string | BackupRef, signal?: AbortSignal): Promise<Copy[]> {
  const copies = new Map<string, Copy>();
  const prefix =
    of === undefined ? "" : typeof of === "string" ? backupPrefix(of) : backupPrefix(of.database, of.backupId);
  for await (const object of tier.store.list(prefix, { signal })) {
    const ref = refOf(object);
    if (!ref) continue;
    const id = `${ref.database}/${ref.backupId}`;
    const before = copies.get(id);
    copies.set(id, {
      ...ref,
      complete: (before?.complete ?? false) || ref.file === MANIFEST,
      bytes: (before?.bytes ?? 0) + object.size,
      objects: (before?.objects ?? 0) + 1,
      newestAt: before && before.newestAt > object.modifiedAt ? before.newestAt : object.modifiedAt,
    });
  }
  return [...copies.values()].map(({ database: name, backupId, complete, bytes, objects, newestAt }) => ({
    database: name,
    backupId,
    complete,
    bytes,
    objects,
    newestAt,
  }));
}

/** Removes what lies on a tier of a backup that never got its manifest there. A complete copy stays untouched. */
export async function removePartial(tier: Tier, ref: BackupRef, signal?: AbortSignal): Promise<number> {
  const objects = await Array.fromAsync(tier.store.list(backupPrefix(ref.database, ref.backupId), { signal }));
  if (objects.some((object) => splitKey(object.key)?.file === MANIFEST)) return 0;
  // A listing may lag behind; what decides over a whole copy is asked for by its name, too.
  const manifest = backupKey(ref.database, ref.backupId, MANIFEST);
  if (objects.length > 0 && (await tier.store.stat(manifest, { signal })) !== null) return 0;
  for (const { key } of objects) await tier.store.delete(key, { signal });
  return objects.length;
}

function refOf(object: StoredObject): (BackupRef & { file: string }) | null {
  const parts = splitKey(object.key);
  const database = parts && databaseOf(parts.directory);
  return parts && database !== null && database !== undefined
    ? { database, backupId: parts.backupId, file: parts.file }
    : null;
}
