import type { Stats } from "node:fs";
import { constants, open, stat } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "./shell-word.ts";

export interface PrivateFile {
  /** Null where the file is closed to others; else what is wrong with it, and what to do, as the end of a sentence. */
  readonly problem: string | null;
  readonly stats: Stats;
  readonly bytes: () => Promise<Buffer>;
}

/**
 * Opens a file that holds a secret and looks at what it opened: a check by name could be of another file. Links are
 * followed, as Kubernetes hands out secrets by them; whom the file belongs to is what counts. A pipe that somebody laid
 * there does not hold us up.
 */
export async function withPrivateFile<T>(
  file: string,
  use: (opened: PrivateFile) => Promise<T>,
  us?: number,
): Promise<T> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    return await use({
      stats,
      problem: whyNotPrivate(file, stats, us ?? (await ownerFor(file))),
      bytes: () => handle.readFile(),
    });
  } finally {
    await handle.close();
  }
}

/** Whom it is to belong to: us; for root, who also acts for the user of a service, whoever owns its folder. */
async function ownerFor(file: string): Promise<number | undefined> {
  const us = process.getuid?.();
  return us === 0 ? (await stat(path.dirname(file))).uid : us;
}

/** It must belong to us or to root, and be open to nobody else. */
function whyNotPrivate(file: string, stats: Stats, us: number | undefined): string | null {
  if (!stats.isFile()) return "is no file.";
  if (us !== undefined && stats.uid !== us && stats.uid !== 0) {
    return (
      `belongs to user ${stats.uid}, who can read and change it, and not to the user that runs Trivault (${us}). ` +
      `If it is yours, let ${shellWord(file)} alone, and nothing around it, belong to that user; else put the right file back from where it is kept.`
    );
  }
  if ((stats.mode & 0o077) === 0) return null;
  return `may be read by others than its owner (mode ${(stats.mode & 0o777).toString(8)}). Make it private: chmod 600 ${shellWord(file)}`;
}
