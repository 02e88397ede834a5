import { openAuditLog } from "@trivault/audit";
import { createHistory } from "../src/history.ts";
import { openHistoryFile } from "../src/history-file.ts";

/** `history-writer.ts BACKUP_DIR AUDIT_FOLDER NOW`: keeps the history again and again, until it is killed; a line for each time. */
const [backupDir = "", folder = "", at = ""] = process.argv.slice(2);
const history = createHistory(openAuditLog(folder), "local", openHistoryFile({ backupDir }), 0);
await history.update(new Date(at));
for (;;) {
  await history.keep(new Date(at));
  process.stdout.write("kept\n");
}
