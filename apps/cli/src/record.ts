import { auditFolder, type AuditLog, openAuditLog, type Recorder } from "@trivault/audit";
import { codeOf, type Config, messageOf } from "@trivault/core";
import { say } from "./output.ts";

/** The record for one command. That it cannot be written is one line on stderr, and never a reason to fail. */
export async function withRecord<T>(
  config: Config,
  use: (record: Recorder, history: Pick<AuditLog, "query">) => Promise<T>,
): Promise<T> {
  const audit = openAuditLog(auditFolder(config.backupDir));
  let told = false;
  const record: Recorder = async (event) => {
    if ((await audit.append(event)) !== "pending" || told) return;
    told = true;
    say(`Warning: this is not in the record, which cannot be written in ${auditFolder(config.backupDir)}.`);
  };
  try {
    return await use(record, audit);
  } finally {
    await audit.close();
  }
}

/** `error` of an event. */
export function recordedError(error: unknown): { code: string; message: string } {
  return { code: codeOf(error) ?? "UNKNOWN", message: messageOf(error) };
}
