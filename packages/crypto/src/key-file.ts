import { open, unlink } from "node:fs/promises";
import { codeOf, keyOfEnvironment, messageOf, TrivaultError, withPrivateFile } from "@trivault/core";

/** No key file of ours comes near this. */
const MAX_BYTES = 1024 * 1024;

/** The text of a file that holds a secret; KEY_FILE unless it is there, ours (or root's), and readable by its owner only. */
export async function readKeyFile(file: string, what: string): Promise<string> {
  const given = keyOfEnvironment(file);
  if (given !== null) return given;
  try {
    return await withPrivateFile(file, async ({ problem, stats, bytes }) => {
      if (problem !== null) throw keyFileError(`The ${what} ${file} ${problem}`);
      if (stats.size > MAX_BYTES) {
        throw keyFileError(`${file} is far too large to be the ${what}. Is it the right file?`);
      }
      return (await bytes()).toString("utf8");
    });
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
  if (codeOf(cause) === "EACCES")
    return "may not be read by this user. Let that file alone belong to the user that runs Trivault, or name another.";
  return `cannot be read: ${messageOf(cause)}.`;
}
