import { access, constants } from "node:fs/promises";
import { codeOf, type Config, messageOf } from "@trivault/core";

/**
 * Why the local tier takes no backups although it can be read: its disk is mounted read-only, as one with errors is. Null
 * where it is not. That this user may not write there says nothing about the one that makes backups.
 */
export async function readOnlyReason({ backupDir }: Pick<Config, "backupDir">): Promise<string | null> {
  try {
    await access(backupDir, constants.W_OK);
    return null;
  } catch (error) {
    if (codeOf(error) !== "EROFS") return null;
    return `BACKUP_DIR ${backupDir} cannot be written (${messageOf(error)}): its disk is mounted read-only. dmesg shows why; repair it and mount it again for writing.`;
  }
}
