import { ensureFirstToken, FIRST_TOKEN } from "@trivault/access";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { type Config, type Logger, messageOf } from "@trivault/core";

/**
 * Where the token of the first start lies, as long as it lets somebody in; it is made where nobody stands in the access
 * file. Where it cannot be (a disk that is full, a file that is damaged) nobody is let in, and the rest goes on.
 */
export async function firstToken({ api, backupDir }: Config, log: Logger): Promise<string | null> {
  if (api.token !== null || api.open) return null;
  try {
    const found = await ensureFirstToken(api.accessFile, new Date());
    if (found === null) return null;
    log.info({ file: found.file }, "the administrator's token of the first start lies there");
    if (found.made) {
      const audit = openAuditLog(auditFolder(backupDir), { log });
      const details = { change: "created", token: FIRST_TOKEN, role: "admin" };
      await audit.record({ action: "access.token", outcome: "ok", actor: "maintenance", details });
      await audit.close();
    }
    return found.file;
  } catch (error) {
    log.error({ reason: messageOf(error) }, "no token could be made for the first login, so nobody is let in");
    return null;
  }
}
