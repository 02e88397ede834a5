import { codeOf, type Key, messageOf, TrivaultError } from "@trivault/core";

/** The errors that every store words alike; what only one kind of store knows stands beside that store. */

export function cancelled(signal: AbortSignal): TrivaultError {
  return new TrivaultError("CANCELLED", "The transfer was cancelled before it was complete; nothing was published.", {
    cause: signal.reason,
  });
}

export function notFound(store: string, key: Key): TrivaultError {
  return new TrivaultError("NOT_FOUND", `${store} holds no ${key}.`, { permanent: true });
}

export function existsWithOtherBytes(store: string, key: Key): TrivaultError {
  return new TrivaultError(
    "EXISTS",
    `${store} already holds other bytes under ${key}, and a backup is never overwritten. Verify that backup: if the ` +
      "stored object is the damaged one, delete it and run the copy again.",
    { permanent: true },
  );
}

/** Transient, because the source is read anew by a retry; a source that is damaged itself fails its retries and then ends. */
export function wrongBytes(store: string, key: Key, found: string): TrivaultError {
  return new TrivaultError(
    "CORRUPT",
    `The bytes of ${key} on their way to ${store} are not the expected ones (${found}); nothing was stored. Trying again ` +
      "helps if it was the transfer; if it repeats, verify the copy on the tier they come from.",
  );
}

/** The source gave the right bytes, twice. */
export function storedOtherBytes(store: string, key: Key): TrivaultError {
  return new TrivaultError(
    "CORRUPT",
    `${store} stored other bytes for ${key} than it was sent (their SHA-256 differs; the source's is right); nothing was ` +
      "published. Trying again helps if it was the transfer; if it repeats, run `npm run backup:sync:test`, and look at that " +
      "server's disk, memory and software.",
  );
}

/** What the file system says, local or at the far end of SFTP, in our codes. */
export function fileSystemError(error: unknown, store: string, doing: string): TrivaultError {
  if (error instanceof TrivaultError) return error;
  const because = `${store}: ${doing} failed: ${messageOf(error)}.`;
  switch (codeOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return storeFull(store, error);
    case "EROFS":
      return refused(
        `${because} A disk with errors becomes read-only, which dmesg shows: repair it and mount it again for writing.`,
        error,
      );
    case "EACCES":
    case "EPERM":
      return refused(`${because} Give the user that runs Trivault the right to write in that folder.`, error);
    case "ENOTDIR":
    case "EISDIR":
    case "ELOOP":
    case "ENAMETOOLONG":
      return refused(`${because} Something that is not ours stands in the way: look at that path and move it.`, error);
    default:
      return new TrivaultError("STORE_FAILED", `${because} Look at the health of that disk.`, { cause: error });
  }
}

export function storeFull(store: string, cause: unknown): TrivaultError {
  return new TrivaultError(
    "STORE_FULL",
    `${store} is full. Free space, enlarge it or keep fewer backups there; the next run goes on where this one stopped.`,
    { cause },
  );
}

export function refused(message: string, cause?: unknown): TrivaultError {
  return new TrivaultError("STORE_REFUSED", message, { permanent: true, cause });
}
