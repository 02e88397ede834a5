import { existsSync } from "node:fs";
import path from "node:path";
import { TrivaultError } from "./errors.ts";

/**
 * Folders that this process works in, each with a file that lies in it as long as it is the right one. Where a disk is unmounted
 * under a running process, an empty folder stays behind: nothing may be read from it as if it were the site, nothing made in it.
 */
const guards = new Map<string, string>();

export function guardFolder(folder: string, sentinel: string): void {
  guards.set(path.resolve(folder), sentinel);
}

/** Whoever begins anew with a folder asks anew what it is. */
export function unguardFolder(folder: string): void {
  guards.delete(path.resolve(folder));
}

/** Throws STORE_UNREACHABLE where `file` lies in a guarded folder (or is one) and what that held is gone. */
export function requireGuarded(file: string): void {
  for (const [folder, sentinel] of guards) {
    if (file !== folder && !file.startsWith(`${folder}${path.sep}`)) continue;
    if (existsSync(sentinel)) continue;
    throw new TrivaultError(
      "STORE_UNREACHABLE",
      `${folder} is not what it was: ${sentinel} is gone. Is its disk still mounted? Mount it again, or put the folder back; nothing is read or written there until then.`,
    );
  }
}
