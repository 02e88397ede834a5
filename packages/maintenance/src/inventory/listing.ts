import { hash } from "node:crypto";
import { databaseOf, MANIFEST, splitKey } from "@trivault/core";
import type { StoredObject, Tier } from "@trivault/storage";
import type { InventoryCopy } from "./inventory.ts";

/** A copy by its tier's listing alone, before its manifest is read. */
export type UnreadCopy = Omit<InventoryCopy, "state" | "expected" | "problem" | "lastState">;

/** Every copy on a tier, whole or not, in the order of their keys. */
export async function listTier(tier: Tier, signal: AbortSignal): Promise<UnreadCopy[]> {
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
    count(current, object, parts.file);
  }
  return copies;
}

const STAMP = 5;

/**
 * What an object looks like from outside, in five characters (30 bits): its name, size, time and tag. Another stamp means
 * that somebody wrote it again. So short, since a large tier has millions of objects; one change in a billion goes unseen.
 */
export function stampOf(file: string, { size, modifiedAt, etag = "" }: StoredObject): string {
  return hash("sha256", `${file} ${size} ${+modifiedAt} ${etag}`, "base64url").slice(0, STAMP);
}

export function stampsIn(stamps: string): Set<string> {
  return new Set(Array.from({ length: stamps.length / STAMP }, (_, i) => stamps.slice(i * STAMP, (i + 1) * STAMP)));
}

/** Whether an object of `now` is none of `before`. */
export function hasChanged(before: string, now: string): boolean {
  return before !== now && !stampsIn(now).isSubsetOf(stampsIn(before));
}

type Mutable = { -readonly [K in keyof UnreadCopy]: UnreadCopy[K] } & { classes: Record<string, number> };

function beginCopy(database: string, backupId: string): Mutable {
  return { database, backupId, bytes: 0, objects: 0, newestAt: new Date(0), classes: {}, stamps: "", manifest: null };
}

function count(copy: Mutable, object: StoredObject, file: string): void {
  const { size, modifiedAt, storageClass } = object;
  copy.bytes += size;
  copy.objects++;
  if (modifiedAt > copy.newestAt) copy.newestAt = modifiedAt;
  if (storageClass !== undefined) copy.classes[storageClass] = (copy.classes[storageClass] ?? 0) + size;
  if (file === MANIFEST) copy.manifest = { size, modifiedAt };
  else copy.stamps += stampOf(file, object);
}
