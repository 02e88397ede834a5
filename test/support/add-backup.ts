import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { tierFolder } from "@trivault/backup";
import { directoryOf, newBackupId } from "@trivault/core";

export interface AddedBackup {
  readonly backupDir: string;
  /** The local one first. */
  readonly tiers: readonly string[];
  readonly database: string;
  readonly bytes: number;
}

/** One more backup of a site, as its workers leave it: in the audit log, and as a note on each tier. */
export async function addBackup({ backupDir, tiers, database, bytes }: AddedBackup): Promise<string> {
  const backupId = newBackupId();
  const audit = openAuditLog(auditFolder(backupDir));
  const about = { outcome: "ok", actor: "schedule", database, backupId, seconds: 20, bytes } as const;
  await audit.record({ action: "backup.dump", ...about, details: { attempt: 1 } });
  await audit.record({ action: "backup.encrypt", ...about, tier: tiers[0] });
  for (const [index, tier] of tiers.entries()) {
    const notes = path.join(tierFolder({ backupDir }, tier), "arrived");
    await mkdir(notes, { recursive: true, mode: 0o700 });
    await writeFile(path.join(notes, `${directoryOf(database)}.${backupId}`), JSON.stringify({ bytes, objects: 8 }));
    if (index > 0) await audit.record({ action: "backup.copy", ...about, tier });
  }
  await audit.close();
  return backupId;
}

// As a process of its own: `node add-backup.ts '<JSON of AddedBackup>'` prints the id.
if (process.argv[1] === import.meta.filename) {
  process.stdout.write(await addBackup(JSON.parse(process.argv[2] ?? "") as AddedBackup));
}
