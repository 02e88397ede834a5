import { randomBytes } from "node:crypto";

/** Lower-case Crockford base 32 (no i, l, o, u): safe in file names, URLs and when read aloud. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const BACKUP_ID = /^(\d{4})(\d{2})(\d{2})t(\d{2})(\d{2})(\d{2})z-[0-9a-hjkmnp-tv-z]{8}$/;

/** A new backup id: UTC time, then 40 random bits, e.g. `20261123t020000z-7f3k9xq2`. Ids sort by time. */
export function newBackupId(now = new Date()): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase();
  let random = "";
  for (const byte of randomBytes(8)) random += ALPHABET[byte % 32];
  return `${time}z-${random}`;
}

/** Of the right form, and with a time that exists: no 31st of February. */
export function isBackupId(text: string): boolean {
  return startOf(text) !== null;
}

/** When the backup was begun, read from its id. */
export function timeOfBackupId(id: string): Date {
  const start = startOf(id);
  if (start === null) throw new RangeError(`not a backup id: ${JSON.stringify(id)}`);
  return start;
}

function startOf(text: string): Date | null {
  const match = BACKUP_ID.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const date = new Date(`${iso}Z`);
  // Date turns some impossible days into others, silently.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso) ? date : null;
}
