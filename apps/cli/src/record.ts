import { auditFolder, type AuditLog, openAuditLog, type Recorder } from "@trivault/audit";
import { requireOwnSite } from "@trivault/cluster";
import { codeOf, type Config, messageOf } from "@trivault/core";
import type { Environment } from "./environment.ts";
import { say } from "./output.ts";

/** The audit log for one command. That it cannot be written is one line on stderr, and never a reason to fail. */
export async function withRecord<T>(
  config: Config,
  use: (record: Recorder, history: Pick<AuditLog, "query">) => Promise<T>,
): Promise<T> {
  const audit = openAuditLog(auditFolder(config.backupDir));
  let warned = false;
  const record: Recorder = async (event) => {
    if ((await audit.append(event)) !== "pending" || warned) return;
    warned = true;
    say(`Warning: this is not in the audit log, which cannot be written in ${auditFolder(config.backupDir)}.`);
  };
  try {
    return await use(record, audit);
  } finally {
    await audit.close();
  }
}

/**
 * As `withRecord`, for a command that writes what belongs to the site into BACKUP_DIR: where that is not this site's folder,
 * as an empty mount point is not, nothing is written.
 */
export async function withOwnRecord<T>(
  { config, log }: Pick<Environment, "config" | "log">,
  signal: AbortSignal,
  use: (record: Recorder) => Promise<T>,
): Promise<T> {
  await requireOwnSite(config, log, signal);
  return withRecord(config, use);
}

/** `error` of an event. */
export function recordedError(error: unknown): { code: string; message: string } {
  return { code: codeOf(error) ?? "UNKNOWN", message: messageOf(error) };
}
