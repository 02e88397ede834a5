import type { AuditEvent, Recorder } from "@trivault/audit";
import { codeOf, hidePasswords, messageOf } from "@trivault/core";
import type { JobContext } from "@trivault/queue";

/** Carries out a stage and writes its end into the audit log: a failure too, also one that is tried again (`details.retried`). */
export async function recorded<
  T extends { readonly bytes: number; readonly seconds: number; readonly rows?: number | null },
>(
  record: Recorder,
  event: Omit<AuditEvent, "outcome" | "seconds" | "bytes" | "error">,
  context: Pick<JobContext, "attempt" | "isRetried">,
  stage: () => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  const details = { ...event.details, attempt: context.attempt };
  try {
    const result = await stage();
    const { seconds, bytes, rows = null } = result;
    await record({ ...event, outcome: "ok", seconds, bytes, details: rows === null ? details : { ...details, rows } });
    return result;
  } catch (error) {
    await record({
      ...event,
      outcome: "failed",
      seconds: (performance.now() - begun) / 1000,
      error: { code: codeOf(error) ?? "UNKNOWN", message: hidePasswords(messageOf(error)) },
      details: { ...details, retried: context.isRetried(error) },
    });
    throw error;
  }
}
