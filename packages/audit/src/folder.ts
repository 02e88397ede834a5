import { readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "@trivault/core";

/** Where the audit log of a site is. */
export function auditFolder(backupDir: string): string {
  return path.join(backupDir, ".trivault/audit");
}

const MONTH_FILE = /^\d{4}-\d{2}\.jsonl$/;

/** The file that a line of that time belongs to. */
export function monthFile(at: string): string {
  return `${at.slice(0, 7)}.jsonl`;
}

/*
 * Here and in head.ts, small things that wait for no disk are done without a hop to another thread: they are done with the
 * lock held, and on a busy machine each hop takes its time. What waits for the disk (fsync) never blocks this thread.
 */

/** Names of the month files, oldest first. */
export function listMonths(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => MONTH_FILE.test(name))
    .toSorted();
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** So that a name made, changed or removed in it survives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
