import { randomUUID } from "node:crypto";
import { lstat, mkdtemp, readlink, rename, symlink } from "node:fs/promises";
import path from "node:path";
import { codeOf, TrivaultError } from "./errors.ts";
import { takeFileLock } from "./file-lock.ts";
import { ensureFolder } from "./folders.ts";

const LOCK_PATIENCE_MS = 10_000;

/**
 * Makes the folder, or finds it; either way it is a real directory, ours, and closed to everybody else (0700), or
 * STORE_REFUSED: whoever owns the folder that plaintext, keys or sockets lie in can put links in their place. `what` is
 * how messages call it, with the setting that names it: `The spool (BACKUP_SPOOL_DIR)`.
 */
export async function ensurePrivateFolder(folder: string, what: string, us = process.getuid?.()): Promise<void> {
  await ensureFolder(folder);
  const problem = await whyOpen(folder, us);
  if (problem === null) return;
  throw new TrivaultError(
    "STORE_REFUSED",
    `${what} is to be at ${folder}, which ${problem}, so others could read or replace what lies there. ` +
      `Make it a folder of the user that runs Trivault alone (mode 700), move it away, or name another place.`,
    { permanent: true },
  );
}

/** What a site keeps about itself, `BACKUP_DIR/.trivault`; every other private thing of ours lies in it, or is linked from it. */
export async function ensureStateFolder(backupDir: string): Promise<void> {
  await ensurePrivateFolder(path.join(backupDir, ".trivault"), "What Trivault keeps (under BACKUP_DIR)");
}

/** Null where it is private to us; else what is wrong with it, as the end of a sentence. */
async function whyOpen(folder: string, us: number | undefined): Promise<string | null> {
  const found = await lstat(folder);
  if (found.isSymbolicLink()) return `is a symbolic link of user ${found.uid}`;
  if (!found.isDirectory()) return "is no folder";
  if (us !== undefined && found.uid !== us) return `belongs to user ${found.uid}, and not to ours (${us})`;
  if ((found.mode & 0o077) !== 0) return `is open to other users (mode ${(found.mode & 0o777).toString(8)})`;
  return null;
}

/**
 * A private folder in one that everybody may write to, such as /dev/shm, under a name that nobody can take first:
 * `link` is a symbolic link, in a private folder of ours, to `<parent>/<prefix><random>`. All processes of a site agree on
 * it by the link, which stays; where its folder is gone (memory, after a restart of the machine) it is made again under the
 * same name, and where somebody else has that by now, under another one. A folder at `link` itself is used as it is.
 */
export async function ensureLinkedFolder(link: string, parent: string, prefix: string, what: string): Promise<void> {
  await ensurePrivateFolder(path.dirname(link), what);
  if (await isUsable(link, parent, prefix, what)) return;
  const lock = await takeFileLock(`${link}.lock`, LOCK_PATIENCE_MS);
  try {
    if (await isUsable(link, parent, prefix, what)) return;
    const folder = await mkdtemp(path.join(parent, prefix));
    const temporary = `${link}.${randomUUID()}`;
    await symlink(folder, temporary);
    await rename(temporary, link);
  } finally {
    lock?.release();
  }
}

async function isUsable(link: string, parent: string, prefix: string, what: string): Promise<boolean> {
  const target = await targetOf(link);
  if (target === null) return false;
  const isOfThisPlace =
    target === link || (path.dirname(target) === parent && path.basename(target).startsWith(prefix));
  if (!isOfThisPlace) return false; // a copy of another site's folder
  try {
    await ensurePrivateFolder(target, what);
    return true;
  } catch (error) {
    if (target === link || !isTaken(error)) throw error;
    return false;
  }
}

const isTaken = (error: unknown) => codeOf(error) === "STORE_REFUSED" || codeOf(error) === "EEXIST";

/** Where a symbolic link leads; anything else itself; null where there is nothing. */
async function targetOf(link: string): Promise<string | null> {
  try {
    return await readlink(link);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    if (codeOf(error) === "EINVAL") return link;
    throw error;
  }
}
