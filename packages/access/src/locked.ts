import { lchown, stat } from "node:fs/promises";
import path from "node:path";
import { ensureFolder, takeFileLock, TrivaultError } from "@trivault/core";

/** One at a time changes that file, over processes and containers; `<file>.lock` is what is locked. */
export async function withFileLock<T>(file: string, patienceMs: number, use: () => Promise<T>): Promise<T> {
  await ensureFolder(path.dirname(file));
  const lock = await takeFileLock(`${file}.lock`, patienceMs);
  if (lock === null) {
    throw new TrivaultError(
      "STORE_UNREACHABLE",
      `${file} is being changed by another process that does not come to an end; nothing was changed. Try again.`,
    );
  }
  try {
    const result = await use();
    await giveToOwner(file);
    return result;
  } finally {
    lock.release();
  }
}

/** Changed by root, it would else be closed to the service whose folder it lies in. Never through a link of theirs. */
async function giveToOwner(file: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(path.dirname(file));
  if (uid === 0) return;
  for (const each of [file, `${file}.lock`]) await lchown(each, uid, gid);
}
