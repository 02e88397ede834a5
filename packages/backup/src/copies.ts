import {
  backupKey,
  backupPrefix,
  codeOf,
  databaseOf,
  DAY_MS,
  decodeManifest,
  formatBytes,
  MANIFEST,
  manifestBytesOf,
  MAX_MANIFEST_BYTES,
  MAX_UNTRUSTED_MANIFEST_BYTES,
  type SignedManifest,
  splitKey,
  TrivaultError,
} from "@trivault/core";
import { judgeManifest } from "@trivault/crypto";
import { readAll, type StoredObject, type Tier } from "@trivault/storage";
import type { BackupRef } from "./site.ts";

export interface StoredManifest {
  readonly signed: SignedManifest;
  /** As it lies on the tier: a copy carries the very same bytes. */
  readonly bytes: Uint8Array;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Who may have signed it. One that nobody of them did is UNTRUSTED, before anything is built from its bytes; or it is read all the
   * same where `anyOrigin` says so, up to a size. Without keys, only the local tier's may be large.
   */
  readonly trustedKeys?: readonly string[];
  readonly anyOrigin?: boolean;
  /** Where it was listed: the objects that lie there with it, which bound its size. */
  readonly objects?: number;
}

/** The manifest of a copy; null where there is none, which means that there is no copy. Throws CORRUPT and UNTRUSTED. */
export async function readManifest(
  tier: Tier,
  ref: BackupRef,
  { signal, trustedKeys, anyOrigin = false, objects }: ReadOptions = {},
): Promise<StoredManifest | null> {
  const key = backupKey(ref.database, ref.backupId, MANIFEST);
  const most = objects === undefined ? MAX_MANIFEST_BYTES : manifestBytesOf(objects);
  try {
    const bytes = await readAll(tier.store.get(key, { signal }), most);
    const isOurs = trustedKeys ? (await judgeManifest(bytes, trustedKeys)) === "trusted" : tier.kind === "local";
    if (!isOurs && trustedKeys && !anyOrigin) throw untrusted(tier, ref);
    if (!isOurs && bytes.length > MAX_UNTRUSTED_MANIFEST_BYTES) throw tooLarge(tier, ref, bytes.length);
    return { signed: decodeManifest(bytes, { database: ref.database, id: ref.backupId }), bytes };
  } catch (error) {
    if (codeOf(error) === "NOT_FOUND") return null;
    throw error;
  }
}

function untrusted(tier: Tier, { backupId }: BackupRef): TrivaultError {
  return new TrivaultError(
    "UNTRUSTED",
    `The manifest of backup ${backupId} on ${tier.name} is not signed by a key that is trusted here. If it is yours, put its signing key into BACKUP_TRUSTED_KEYS.`,
    { permanent: true },
  );
}

function tooLarge(tier: Tier, { backupId }: BackupRef, size: number): TrivaultError {
  return new TrivaultError(
    "CORRUPT",
    `The manifest of backup ${backupId} on ${tier.name} has ${formatBytes(size)} and is not signed by a key that is trusted here: so large a one is not read. If it is yours, put its signing key into BACKUP_TRUSTED_KEYS.`,
    { permanent: true },
  );
}

/** What lies on a tier of one backup, complete or not. */
export interface Copy extends BackupRef {
  readonly complete: boolean;
  readonly bytes: number;
  readonly objects: number;
  readonly newestAt: Date;
  /** Null where it has none, and so is none. */
  readonly manifest: Pick<StoredObject, "size" | "modifiedAt"> | null;
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
      database: ref.database,
      backupId: ref.backupId,
      complete: (before?.complete ?? false) || ref.file === MANIFEST,
      bytes: (before?.bytes ?? 0) + object.size,
      objects: (before?.objects ?? 0) + 1,
      newestAt: before && before.newestAt > object.modifiedAt ? before.newestAt : object.modifiedAt,
      manifest:
        ref.file === MANIFEST ? { size: object.size, modifiedAt: object.modifiedAt } : (before?.manifest ?? null),
    });
  }
  return [...copies.values()];
}

/** However young, and whatever the clock that dated it said. */
const OF_ANY_AGE_MS = -100 * 365 * DAY_MS;

/**
 * Removes what somebody is writing of a backup and has not published yet, which then never will be: for whoever has fenced
 * that writer off. A publication is the last step of a `put`, and needs its temporary file.
 */
export async function removeTemporary(tier: Tier, ref: BackupRef, signal?: AbortSignal): Promise<void> {
  await tier.store.sweep(backupPrefix(ref.database, ref.backupId), OF_ANY_AGE_MS, { signal });
}

/** Removes what lies on a tier of a backup that never got its manifest there. A complete copy stays untouched. */
export async function removePartial(tier: Tier, ref: BackupRef, signal?: AbortSignal): Promise<number> {
  // First: a manifest that is about to be published loses its file now, or is seen by the listing.
  if (tier.kind === "local") await removeTemporary(tier, ref, signal);
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
