import type { AuditLog, RecordedEvent } from "@trivault/audit";
import type { LogLine } from "@trivault/dashboard";

/** Up to `limit` events, and whether there are more. */
export async function readLog(
  audit: Pick<AuditLog, "query">,
  filter: Parameters<AuditLog["query"]>[0],
  { order, limit, accept = () => true }: LogOptions,
): Promise<{ readonly lines: LogLine[]; readonly more: boolean }> {
  const lines: LogLine[] = [];
  for await (const event of audit.query(filter, order)) {
    if (!accept(event)) continue;
    if (lines.length === limit) return { lines, more: true };
    lines.push(logLine(event));
  }
  return { lines, more: false };
}

interface LogOptions {
  readonly order: "oldest-first" | "newest-first";
  readonly limit: number;
  readonly accept?: (event: RecordedEvent) => boolean;
}

function logLine(event: RecordedEvent): LogLine {
  return {
    seq: event.seq,
    at: event.at.toISOString(),
    action: event.action,
    outcome: event.outcome,
    actor: event.actor,
    host: event.host,
    database: event.database ?? null,
    backupId: event.backupId ?? null,
    tier: event.tier ?? null,
    seconds: event.seconds ?? null,
    bytes: event.bytes ?? null,
    problem: event.error?.message ?? null,
    details: event.details ?? {},
  };
}
