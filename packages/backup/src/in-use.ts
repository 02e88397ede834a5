import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Config, DAY_MS, ensureFolder, isBackupId, modifiedAt, readdirOrEmpty } from "@trivault/core";
import type { BackupRef } from "./site.ts";

/**
 * Who reads a backup says so, and no rule deletes it meanwhile:
 *
 *     <BACKUP_DIR>/.trivault/in-use/<backup id>.<uuid>
 *
 * A reader that died leaves its file behind; it counts for a day.
 */
const STALE_MS = DAY_MS;

type Place = Pick<Config, "backupDir">;

/**
 * Best effort: a restore does not fail because this cannot be said. On a machine without a site, where nothing is deleted
 * from either, no trace is left.
 */
export async function markInUse(config: Place, { backupId }: BackupRef): Promise<{ release: () => Promise<void> }> {
  const file = path.join(folderOf(config), `${backupId}.${randomUUID()}`);
  try {
    if (existsSync(path.dirname(folderOf(config)))) {
      await ensureFolder(path.dirname(file));
      await writeFile(file, "", { mode: 0o600, flag: "wx" });
    }
  } catch {
    // A read-only or full disk: the backup can be read all the same.
  }
  return { release: () => rm(file, { force: true }).catch(() => {}) };
}

/** Ids of the backups that are being read. Files that went stale are removed. */
export async function listInUse(config: Place): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const name of await readdirOrEmpty(folderOf(config))) {
    const id = name.split(".", 1)[0] ?? "";
    const file = path.join(folderOf(config), name);
    // By the machine's own clock, which also dates the file.
    const isStale = await modifiedAt(file).then(
      (at) => Date.now() - at > STALE_MS,
      () => false,
    );
    if (isStale) await rm(file, { recursive: true, force: true }).catch(() => {});
    else if (isBackupId(id)) ids.add(id);
  }
  return ids;
}

function folderOf({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/in-use");
}
