import { isBackupId } from "@trivault/core";
import { InvalidArgumentError } from "commander";

/** Parsers of option values: what is wrong is told before anything is opened, and ends with exit code 2. */

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
