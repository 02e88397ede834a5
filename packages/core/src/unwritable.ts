import { codeOf } from "./errors.ts";

/** How a file system says that it takes nothing: it has no room, or it is read-only or not ours to write. Null for all else. */
export function unwritableBy(error: unknown): "full" | "refused" | null {
  const code = codeOf(error) ?? "";
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  return code === "EROFS" || code === "EACCES" || code === "EPERM" ? "refused" : null;
}

/**
 * For what is only remembered, and known again by looking: a disk that takes nothing is no reason to fail. Answers whether it
 * was written.
 */
export async function unlessUnwritable(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (unwritableBy(error) === null) throw error;
    return false;
  }
}
