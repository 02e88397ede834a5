import { randomBytes } from "node:crypto";
import { background, type Key, parseKey, TrivaultError } from "@trivault/core";
import type { StoredObject } from "./store.ts";

/** What stores made of folders have in common: temporary names, and the walk through `<database>/<backup id>/<file>`. */

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "directory" | "other";
  readonly size: number;
  readonly modifiedAt: Date;
}

/** The entries of a folder given by its path under the tier's root; none where it does not exist. */
export type ReadDirectory = (path: string) => Promise<Entry[]>;

/** Folders that are read at a time: a round trip each to a server. */
const READ_AHEAD = 16;

const TEMPORARY = /^\.(.+)\.[0-9a-f]{16}\.tmp$/;

/** `a/b/data-000001.zst.age` → `a/b/.data-000001.zst.age.<16 hex>.tmp`: beside its target, so that a rename can publish it. */
export function temporaryName(key: Key): string {
  const slash = key.lastIndexOf("/") + 1;
  return `${key.slice(0, slash)}.${key.slice(slash)}.${randomBytes(8).toString("hex")}.tmp`;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The folders from the root to `path`: `["", "a", "a/b"]` for `a/b`. */
export function folders(path: string): string[] {
  const parts = path === "" ? [] : path.split("/");
  return parts.reduce<string[]>((all, part) => [...all, all.at(-1) ? `${all.at(-1)}/${part}` : part], [""]);
}

/** `""`, `"<database dir>/"` or `"<database dir>/<backup id>/"`; anything else is INPUT_INVALID. */
export function checkPrefix(prefix: string): string {
  if (prefix !== "" && !canHoldKeys(prefix)) {
    throw new TrivaultError("INPUT_INVALID", `${JSON.stringify(prefix)} is not a valid folder of a backup tier.`, {
      permanent: true,
    });
  }
  return prefix;
}

/** Every object of ours under a prefix, sorted by key; temporary and foreign files and links are passed over. */
export async function* listTree(prefix: string, read: ReadDirectory): AsyncGenerator<StoredObject> {
  for await (const { path, entry } of walk(checkPrefix(prefix), read)) {
    const key = parseKey(path);
    if (key && entry.kind === "file") yield { key, size: entry.size, modifiedAt: entry.modifiedAt };
  }
}

/** Paths of temporary files of ours under a prefix that were last written before `before`. */
export async function* listTemporary(prefix: string, before: Date, read: ReadDirectory): AsyncGenerator<string> {
  for await (const { path, entry } of walk(checkPrefix(prefix), read)) {
    const target = TEMPORARY.exec(entry.name)?.[1];
    const ours = target !== undefined && parseKey(path.slice(0, path.length - entry.name.length) + target) !== null;
    if (ours && entry.kind === "file" && entry.modifiedAt < before) yield path;
  }
}

/** Files in the order of their keys, in folders that can be ours. */
async function* walk(prefix: string, read: ReadDirectory): AsyncGenerator<{ path: string; entry: Entry }> {
  yield* walkEntries(prefix, await read(prefix.slice(0, -1)), read);
}

/** The folders that come next are read while those before them are worked through. */
async function* walkEntries(
  prefix: string,
  entries: readonly Entry[],
  read: ReadDirectory,
): AsyncGenerator<{ path: string; entry: Entry }> {
  // "a-b/…" sorts before "a/…": folders compare with the slash that follows them in a key.
  const named = entries
    .map((entry) => ({ entry, name: entry.kind === "directory" ? `${entry.name}/` : entry.name }))
    .filter(({ entry, name }) => entry.kind !== "directory" || canHoldKeys(prefix + name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const ahead: Promise<Entry[]>[] = [];
  let next = 0;
  for (const { entry } of named) {
    const path = prefix + entry.name;
    if (entry.kind !== "directory") {
      yield { path, entry };
      continue;
    }
    for (; next < named.length && ahead.length < READ_AHEAD; next++) {
      const coming = named[next]?.entry;
      if (coming?.kind === "directory") ahead.push(background(read(prefix + coming.name)));
    }
    yield* walkEntries(`${path}/`, (await ahead.shift()) ?? [], read);
  }
}

/** For a folder with its last slash. */
function canHoldKeys(folder: string): boolean {
  if (!folder.endsWith("/")) return false;
  const depth = folder.split("/").length - 1;
  return parseKey(depth === 1 ? `${folder}20000101t000000z-00000000/manifest.json` : `${folder}manifest.json`) !== null;
}
