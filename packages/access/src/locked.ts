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
    return await use();
  } finally {
    lock.release();
  }
}
