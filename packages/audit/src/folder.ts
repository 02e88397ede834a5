import { open, readdir } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "@trivault/core";

/** Where the record of a site lies. */
export function auditFolder(backupDir: string): string {
  return path.join(backupDir, ".trivault/audit");
}

const MONTH_FILE = /^\d{4}-\d{2}\.jsonl$/;

/** The file that a line of that time belongs to. */
export function monthFile(at: string): string {
  return `${at.slice(0, 7)}.jsonl`;
}

/** Names of the month files, oldest first. */
export async function listMonths(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => MONTH_FILE.test(name)).toSorted();
}

export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
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
