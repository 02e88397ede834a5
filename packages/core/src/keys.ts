import { TrivaultError } from "./errors.ts";
import { isBackupId } from "./ids.ts";

/**
 * The gate that every name on a tier passes, on its way in and out. A key is `RECOVERY.md`,
 * `SITE-<site id>.json` or `<database>/<backup id>/<file>`; anything else (`..`, absolute paths, NUL, upper levels, foreign files) is refused, so
 * that nothing read from a tier can name a path outside its backup.
 */
export type Key = string & { readonly __key: unique symbol };

const FILE = /^(?:data-\d{6}\.zst(?:\.age)?|globals\.zst(?:\.age)?|details\.zst(?:\.age)?|manifest\.json)$/;
/** What `directoryOf` makes: a PostgreSQL name has up to 63 bytes, each of which may take three characters. */
const DIRECTORY = /^(?=.{1,200}$)(?:[a-z0-9_]|~[0-9a-f]{2})(?:[a-z0-9_-]|~[0-9a-f]{2})*$/;

/** Upper case, as no directory of a database is. */
const SITE = /^SITE-([0-9a-hjkmnp-tv-z]{16})\.json$/;

export const RECOVERY_KEY = "RECOVERY.md" as Key;
export const MANIFEST = "manifest.json";

/** Null where `text` is not a key of ours; for listings, where foreign files are simply not ours. */
export function parseKey(text: string): Key | null {
  if (text === RECOVERY_KEY) return RECOVERY_KEY;
  if (SITE.test(text)) return text as Key;
  const parts = text.split("/");
  const [directory = "", id = "", file = ""] = parts;
  const valid = parts.length === 3 && databaseOf(directory) !== null && isBackupId(id) && FILE.test(file);
  return valid ? (text as Key) : null;
}

/** Throws INPUT_INVALID where `text` is not a key. */
export function toKey(text: string): Key {
  const key = parseKey(text);
  if (key === null) {
    throw new TrivaultError("INPUT_INVALID", `${JSON.stringify(text)} is not a valid name inside a backup tier.`, {
      permanent: true,
    });
  }
  return key;
}

/** Where a tier says that a site uses it. */
export function siteKey(siteId: string): Key {
  return toKey(`SITE-${siteId}.json`);
}

/** The site that a key is about; null for every other key. */
export function siteIdOf(key: Key): string | null {
  return SITE.exec(key)?.[1] ?? null;
}

/** The parts of a key inside a backup; null for what lies beside the backups. */
export function splitKey(key: Key): { directory: string; backupId: string; file: string } | null {
  const [directory, backupId, file] = key.split("/");
  return directory && backupId && file ? { directory, backupId, file } : null;
}

export function backupKey(database: string, backupId: string, file: string): Key {
  return toKey(`${directoryOf(database)}/${backupId}/${file}`);
}

/** A prefix for `Store.list`: one backup, or all of one database. */
export function backupPrefix(database: string, backupId?: string): string {
  return backupId === undefined ? `${directoryOf(database)}/` : `${directoryOf(database)}/${backupId}/`;
}

export function segmentName(kind: "data", number: number, encrypted: boolean): string;
export function segmentName(kind: "globals" | "details", number: null, encrypted: boolean): string;
export function segmentName(kind: string, number: number | null, encrypted: boolean): string {
  const stem = number === null ? kind : `${kind}-${String(number).padStart(6, "0")}`;
  return `${stem}.zst${encrypted ? ".age" : ""}`;
}

/**
 * The directory of a database on every tier. Names of `a-z 0-9 _ -` stay as they are; any other byte becomes `~xx` (hex),
 * so that `Müller/..` is as safe as `shop`, no two names share a directory even where file names ignore case, and no
 * directory starts with a dot.
 */
export function directoryOf(database: string): string {
  const name = encode(database);
  if (!DIRECTORY.test(name) || !database.isWellFormed()) {
    throw new TrivaultError(
      "INPUT_INVALID",
      `The database name ${JSON.stringify(database)} is empty, too long or not Unicode.`,
      { permanent: true },
    );
  }
  return name;
}

/** The inverse of `directoryOf`; null for a directory that it would not have made. */
export function databaseOf(directory: string): string | null {
  if (!DIRECTORY.test(directory)) return null;
  const parts = directory.match(/~..|[^~]/g) ?? [];
  const bytes = parts.map((part) => (part.startsWith("~") ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)));
  const name = Buffer.from(bytes).toString("utf8");
  // Not so for bytes that are no UTF-8, and for a character that needed no encoding.
  return encode(name) === directory ? name : null;
}

function encode(database: string): string {
  let name = "";
  for (const [index, byte] of Buffer.from(database, "utf8").entries()) {
    const char = String.fromCharCode(byte);
    const plain = /[a-z0-9_]/.test(char) || (index > 0 && char === "-");
    name += plain ? char : `~${byte.toString(16).padStart(2, "0")}`;
  }
  return name;
}
