import { messageOf, TrivaultError, unwritableBy } from "@trivault/core";

/** Does work under BACKUP_DIR; where its disk takes nothing, the error names the setting and what to do. */
export async function inSite<T>(backupDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw siteError({ backupDir, spoolDir: null }, error);
  }
}

/** The same for an error of work in both of a site's folders. */
export function siteError(
  { backupDir, spoolDir }: { readonly backupDir: string; readonly spoolDir: string | null },
  error: unknown,
): unknown {
  const how = error instanceof TrivaultError ? null : unwritableBy(error);
  if (how === null) return error;
  const file = typeof error === "object" && error !== null && "path" in error ? String(error.path) : "";
  const folder =
    spoolDir !== null && file.startsWith(`${spoolDir}/`) ? `BACKUP_SPOOL_DIR ${spoolDir}` : `BACKUP_DIR ${backupDir}`;
  if (how === "full") {
    const message = `The file system of ${folder} is full (${messageOf(error)}). Free space, enlarge it or keep fewer backups there.`;
    return new TrivaultError("STORE_FULL", message, { cause: error });
  }
  return new TrivaultError(
    "STORE_REFUSED",
    `${folder} cannot be written (${messageOf(error)}). A disk with errors becomes read-only, which dmesg shows: repair it and mount it again for writing; or let the user that runs Trivault write there. Then it goes on by itself.`,
    { cause: error },
  );
}
