import { open, unlink } from "node:fs/promises";
import { codeOf, messageOf, TrivaultError } from "@trivault/core";

/** No key file of ours comes near this. */
const MAX_BYTES = 1024 * 1024;

/** The text of a file that holds a secret; KEY_FILE unless it is there, readable, and by its owner only. */
export async function readKeyFile(file: string, what: string): Promise<string> {
  try {
    const handle = await open(file, "r");
    try {
      const { mode, size } = await handle.stat();
      if ((mode & 0o077) !== 0) {
        throw keyFileError(
          `The ${what} ${file} may be read by others than its owner (mode ${(mode & 0o777).toString(8)}). ` +
            `Make it private: chmod 600 ${file}`,
        );
      }
      if (size > MAX_BYTES) throw keyFileError(`${file} is far too large to be the ${what}. Is it the right file?`);
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof TrivaultError) throw cause;
    throw keyFileError(`The ${what} ${file} ${whyUnreadable(cause)}`, cause);
  }
}

/** Creates a file that only its owner can read, and never overwrites one: EEXIST (Node's own error) where there is one. */
export async function writeKeyFile(file: string, text: string): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await unlink(file);
    throw error;
  }
}

export function keyFileError(message: string, cause?: unknown): TrivaultError {
  return new TrivaultError("KEY_FILE", message, { permanent: true, cause });
}

function whyUnreadable(cause: unknown): string {
  if (codeOf(cause) === "ENOENT") return "does not exist. Check the path, or put the file back from where it is kept.";
  if (codeOf(cause) === "EACCES") return "may not be read by this user. Run as its owner, or change its owner (chown).";
  return `cannot be read: ${messageOf(cause)}.`;
}
