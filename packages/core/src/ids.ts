import { randomBytes } from "node:crypto";

/** Lower-case Crockford base 32 (no i, l, o, u): safe in file names, URLs and when read aloud. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const BACKUP_ID = /^\d{8}t\d{6}z-[0-9a-hjkmnp-tv-z]{8}$/;

/** A new backup id: UTC time, then 40 random bits, e.g. `20261123t020000z-7f3k9xq2`. Ids sort by time. */
export function newBackupId(now = new Date()): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").toLowerCase();
  let random = "";
  for (const byte of randomBytes(8)) random += ALPHABET[byte % 32];
  return `${time}z-${random}`;
}

/** 80 random bits. */
export function newSiteId(): string {
  let id = "";
  for (const byte of randomBytes(16)) id += ALPHABET[byte % 32];
  return id;
}

/** Whether it has the right form, and a time that exists: no 31st of February. */
export function isBackupId(text: string): boolean {
  return startOf(text) !== null;
}

/** When the backup was begun, read from its id. */
export function timeOfBackupId(id: string): Date {
  const start = startOf(id);
  if (start === null) throw new RangeError(`not a backup id: ${JSON.stringify(id)}`);
  return start;
}

/** Clocks of machines that are in order differ by less. */
const DRIFT_MS = 5 * 60_000;

/** The ids that are dated in the future, oldest first: by a clock that was wrong, or by hand. */
export function idsAhead(ids: Iterable<string>, now: Date): string[] {
  const limit = now.getTime() + DRIFT_MS;
  return [...new Set(ids)].filter((id) => timeOfBackupId(id).getTime() > limit).toSorted();
}

function startOf(text: string): Date | null {
  if (!BACKUP_ID.test(text)) return null;
  const number = (from: number, to: number) => Number(text.slice(from, to));
  const [year, month, day] = [number(0, 4), number(4, 6), number(6, 8)];
  const [hour, minute, second] = [number(9, 11), number(11, 13), number(13, 15)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC would put the years before 100 into the last century
  date.setUTCHours(hour, minute, second);
  // Date turns impossible days and hours into others, silently.
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists && hour < 24 && minute < 60 && second < 60 ? date : null;
}
