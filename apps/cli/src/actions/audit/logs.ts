import {
  type AuditAction,
  type AuditFilter,
  auditFolder,
  type AuditOutcome,
  openAuditLog,
  type RecordedEvent,
} from "@trivault/audit";
import { formatBytes, TrivaultError } from "@trivault/core";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatSeconds, formatTime, print, printJson, printJsonLine, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export interface LogsOptions {
  readonly from?: Date;
  readonly to?: Date;
  readonly actor?: string;
  readonly database?: string;
  readonly backup?: string;
  readonly tier?: string;
  readonly action?: AuditAction[];
  readonly outcome?: AuditOutcome;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly format: "table" | "json" | "csv";
  readonly json?: boolean;
}

const DEFAULT_LIMIT = 100;

export async function auditLogs(options: LogsOptions, { signal }: Running): Promise<number> {
  const { from, to, actor, database, backup: backupId, tier, action, outcome } = options;
  if (from && to && from > to) {
    throw new TrivaultError("INPUT_INVALID", "--from is later than --to, so nothing can lie between them.", {
      permanent: true,
    });
  }
  const { config } = readEnvironment("read");
  const format = options.json ? "json" : options.format;
  const filter: AuditFilter = { from, to, actor, database, backupId, tier, action, outcome };
  const audit = openAuditLog(auditFolder(config.backupDir));
  // From a time before the past is read, so that nothing falls in between; what is shown already is passed over.
  const following = options.follow ? audit.follow({ ...filter, from: from ?? new Date() }, signal) : null;
  const events: RecordedEvent[] = [];
  for await (const event of audit.query(filter, "newest-first")) {
    signal.throwIfAborted();
    events.push(event);
    if (events.length === (options.limit ?? DEFAULT_LIMIT)) break;
  }
  events.reverse();
  printAll(events, format, following !== null);
  if (following === null) return EXIT.ok;
  const shown = events.at(-1)?.seq ?? 0;
  for await (const event of following) if (event.seq > shown) printEvent(event, format);
  return EXIT.ok;
}

function printAll(events: readonly RecordedEvent[], format: LogsOptions["format"], follows: boolean): void {
  if (format === "csv") printText([CSV_COLUMNS.join(","), ...events.map(csvLine)].join("\n"));
  else if (follows) for (const event of events) printEvent(event, format);
  else if (format === "json") printJson(events);
  else if (events.length === 0) print("Nothing was recorded that fits.");
  else printText(table(["TIME", "ACTION", "OUTCOME", "WHAT", "WHO", "DETAILS"], events.map(cells)));
}

/** On a line of its own, where the next event is not known yet. */
function printEvent(event: RecordedEvent, format: LogsOptions["format"]): void {
  if (format === "json") printJsonLine(event);
  else print(format === "csv" ? csvLine(event) : cells(event).join("  "));
}

function cells(event: RecordedEvent): string[] {
  const { database, backupId, tier, bytes, seconds, error, details = {} } = event;
  const what = [database, backupId, tier === undefined ? undefined : `on ${tier}`].filter((part) => part !== undefined);
  const more = [
    bytes === undefined ? null : formatBytes(bytes),
    seconds === undefined ? null : formatSeconds(seconds),
    ...Object.entries(details).map(([name, value]) => `${name}=${value}`),
    error ? `${error.code}: ${error.message}` : null,
  ].filter((part) => part !== null);
  return [formatTime(event.at), event.action, event.outcome, what.join(" "), event.actor, more.join(", ")];
}

const CSV_COLUMNS = [
  "seq",
  "at",
  "action",
  "outcome",
  "actor",
  "database",
  "backupId",
  "tier",
  "seconds",
  "bytes",
  "errorCode",
  "errorMessage",
  "details",
  "host",
  "pid",
];

/** RFC 4180, but for its line ends. */
export function csvLine(event: RecordedEvent): string {
  const { seq, at, action, outcome, actor, database, backupId, tier, seconds, bytes, error, details, host, pid } =
    event;
  const values = [action, outcome, actor, database, backupId, tier, seconds, bytes, error?.code, error?.message];
  const rest = [details && JSON.stringify(details), host, pid];
  return [seq, at.toISOString(), ...values, ...rest].map(csvField).join(",");
}

/** Spreadsheets take what begins so for a formula, and carry it out. */
const FORMULA = /^\s*[=+\-@\t\r]/;

function csvField(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
