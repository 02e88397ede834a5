import { isBackupId, parseDuration } from "@trivault/core/basics";
import { InvalidArgumentError } from "commander";

/** Parsers of option values: what is wrong is reported before anything is opened, and ends with exit code 2. */

export function backupId(text: string): string {
  if (isBackupId(text)) return text;
  throw new InvalidArgumentError("Expected a backup id such as 20261123t020000z-7f3k9xq2, as `list` prints them.");
}

export function backupIdOr(...words: string[]): (text: string) => string {
  return (text) => {
    if (isBackupId(text) || words.includes(text)) return text;
    throw new InvalidArgumentError(
      `Expected ${words.join(", ")} or a backup id such as 20261123t020000z-7f3k9xq2, as \`list\` prints them.`,
    );
  };
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

export function notEmpty(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("It is empty.");
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** A time, or how long ago it was. */
export function pointInTime(text: string): Date {
  // Without a zone it is UTC, as all times that are printed.
  const whole = text.includes("T") && !/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? `${text}Z` : text;
  const date = new Date(ISO.test(text) ? whole : Date.now() - (milliseconds(text) ?? Number.NaN));
  if (!Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError("Expected a time such as 2026-11-23, 2026-11-23T02:00:00Z, or 90m, 24h, 7d, 4w ago.");
}

/** In milliseconds. */
export function duration(text: string): number {
  const found = milliseconds(text);
  if (found !== null && found > 0) return found;
  throw new InvalidArgumentError("Expected a time such as 90m, 24h, 7d or 4w.");
}

function milliseconds(text: string): number | null {
  const seconds = parseDuration(text);
  return seconds === null || seconds === 0 ? null : seconds * 1000;
}
