import { parentPort, workerData } from "node:worker_threads";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { type Config, type ErrorCode, hidePasswords, messageOf, TrivaultError } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import type { ReportRequest } from "./gather.ts";
import type { OpenAlert } from "./input.ts";
import { makeReport } from "./make-report.ts";
import type { RenderedReport } from "./render.ts";

/**
 * The thread that makes one report, and ends. A large site's audit log of a month takes seconds to read, in which the process's
 * event loop stays free, and much memory, which goes back with it.
 */
export interface ReportJob {
  readonly config: Config;
  readonly overview: Overview;
  readonly alerts: readonly OpenAlert[];
  readonly now: Date;
  readonly request: ReportRequest;
}

export type ReportReply =
  | { readonly made: RenderedReport }
  | { readonly error: { readonly code: ErrorCode | null; readonly message: string; readonly permanent: boolean } };

if (parentPort !== null) {
  const { request, ...job } = workerData as ReportJob;
  const audit = openAuditLog(auditFolder(job.config.backupDir));
  const reply = await makeReport({ ...job, audit }, request).then((made): ReportReply => ({ made }), refusal);
  parentPort.postMessage(reply, []); // the empty list of transfers shows the linter that this is no window
  await audit.close();
}

function refusal(error: unknown): ReportReply {
  const message = hidePasswords(messageOf(error));
  if (error instanceof TrivaultError) return { error: { code: error.code, message, permanent: error.permanent } };
  return { error: { code: null, message, permanent: false } };
}
