import { mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "./errors.ts";
import { requireGuarded } from "./guarded-folders.ts";

/**
 * `mkdir -p` with 0700, but never where a disk was unmounted under this process (guarded-folders.ts). Node's own `recursive` never comes back where a parent exists and still answers ENOENT, as
 * folders under /proc do.
 */
export async function ensureFolder(folder: string): Promise<void> {
  requireGuarded(folder);
  return make(folder, TRIES);
}

/** Others may make the parent between the look at it and the one before: then it is tried again. */
const TRIES = 5;

async function make(folder: string, tries: number): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await isFolder(folder))) return;
    const parent = path.dirname(folder);
    if (codeOf(error) !== "ENOENT" || parent === folder || tries === 1) throw error;
    if (!(await isFolder(parent))) await make(parent, tries);
    await make(folder, tries - 1);
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The names in it; none where there is no such folder. */
export async function readdirOrEmpty(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** In milliseconds, by the clock of the disk's machine; 0 where there is no such file. */
export async function modifiedAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
