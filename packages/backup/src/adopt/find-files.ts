import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { codeOf, databaseOf, isBackupId, messageOf, RECOVERY_KEY } from "@trivault/core";

export interface FoundFile {
  /** Relative to the folder that was searched. */
  readonly file: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

export interface Found {
  readonly files: readonly FoundFile[];
  /** Folders that hold a `toc.dat`, as pg_dump's directory format has it; they are not looked into. */
  readonly dumpFolders: readonly string[];
  /** What could not be looked at, and why. */
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
}

/**
 * Every regular file under `root`, at any depth, that is not ours: nothing in `.trivault`, in `<database>/<backup id>/`,
 * or in the folders of `except`. Links are not followed.
 */
export async function findFiles(root: string, except: readonly string[]): Promise<Found> {
  const files: FoundFile[] = [];
  const dumpFolders: string[] = [];
  const unreadable: { file: string; reason: string }[] = [];
  const ours = new Set([path.join(root, ".trivault"), path.join(root, RECOVERY_KEY), ...except]);

  async function walk(folder: string): Promise<void> {
    const entries = await readdir(path.join(root, folder), { withFileTypes: true });
    const names = entries.map(({ name }) => name);
    if (folder !== "" && names.includes("toc.dat")) {
      dumpFolders.push(folder);
      return;
    }
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(folder, entry.name);
      if (ours.has(path.join(root, file))) continue;
      try {
        if (entry.isDirectory() && !(isBackupId(entry.name) && databaseOf(folder) !== null)) await walk(file);
        else if (entry.isFile()) await add(file);
      } catch (error) {
        if (codeOf(error) !== "ENOENT") unreadable.push({ file, reason: messageOf(error) });
      }
    }
  }
  async function add(file: string): Promise<void> {
    const { size, mtime } = await stat(path.join(root, file));
    files.push({ file, size, modifiedAt: mtime });
  }
  await walk("");
  return { files, dumpFolders, unreadable };
}
