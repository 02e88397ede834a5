import type { AuditLog, Recorder } from "@trivault/audit";
import {
  background,
  codeOf,
  type Config,
  DAY_MS,
  ensureFolder,
  hidePasswords,
  HOUR_MS,
  type Logger,
  messageOf,
  takeFileLock,
} from "@trivault/core";
import type { Mailer } from "@trivault/notify";
import path from "node:path";
import { calendarDay } from "./days.ts";
import {
  keepReport,
  readKeptReport,
  readReportState,
  removeReportsBefore,
  type ReportState,
  reportsFolder,
  writeReportState,
} from "./kept-reports.ts";
import { mailOf } from "./mail-report.ts";
import { renderReport } from "./render.ts";
import type { ReportMaker } from "./report-maker.ts";
import { reportSchema } from "./report.ts";
import { type DueReport, dueReport } from "./schedule.ts";

export interface ReportsDeps {
  readonly config: Pick<Config, "backupDir" | "monitoring">;
  readonly maker: ReportMaker;
  readonly audit: Pick<AuditLog, "query">;
  readonly record: Recorder;
  /** Null: nothing can be mailed. */
  readonly mailer: Pick<Mailer, "send"> | null;
  readonly now: () => Date;
  readonly log: Logger;
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 30_000;
/** After a report that could not be made. */
const AGAIN_MS = 300_000;
/** After so many attempts to mail it. */
const MAIL_AGAIN_MS = [60_000, 300_000, 900_000, HOUR_MS] as const;
const ITSELF = "schedule";

/**
 * Makes the report of each slot of its schedule, keeps it and mails it. Every process of a site that is asked to does so;
 * a lock of the file system lets one of them work, and the files in the folder show what is done. So a report is made once
 * however often processes are started, and one that was missed while none ran is made by the next: the newest only.
 */
export function startReports(deps: ReportsDeps): { close(): Promise<void> } {
  const { config, log } = deps;
  const { schedule } = config.monitoring.reports;
  const closing = new AbortController();
  let looking: Promise<void> | null = null;
  let notBefore = 0;
  /** The day whose failure is in the audit log. */
  let recorded: string | null = null;
  if (schedule === null) return { close: async () => undefined };

  const look = async () => {
    if (performance.now() < notBefore) return;
    const due = dueReport(schedule, deps.now());
    try {
      await bringUpToDate(deps, due, closing.signal);
    } catch (error) {
      if (closing.signal.aborted) return;
      notBefore = performance.now() + AGAIN_MS;
      log.error({ reason: messageOf(error) }, "the report of the day could not be made; it is tried again");
      if (recorded !== due.day) await deps.record(failed(due.day, error));
      recorded = due.day;
    }
  };
  const begin = () => {
    looking ??= background(
      look()
        .catch((error: unknown) => log.error({ err: error }, "reports could not be looked after"))
        .finally(() => (looking = null)),
    );
  };
  const timer = setInterval(begin, deps.lookEveryMs ?? LOOK_EVERY_MS).unref();
  begin();
  return {
    async close() {
      clearInterval(timer);
      closing.abort();
      await looking;
    },
  };
}

/** What is due and not done, unless another process is at it. */
async function bringUpToDate(deps: ReportsDeps, due: DueReport, signal: AbortSignal): Promise<void> {
  const { config, now } = deps;
  if (isDone(await readReportState(config, due.day), deps)) return;
  if (!(await hasRecordBefore(deps.audit, due.period.to))) return;
  await ensureFolder(reportsFolder(config));
  const lock = await takeFileLock(path.join(reportsFolder(config), "lock.db"), 0);
  if (lock === null) return;
  try {
    // Another process may have done it since.
    const before = await readReportState(config, due.day);
    const state = before ?? (await makeAndKeep(deps, due, signal));
    if (!isDone(state, deps)) await mailKept(deps, due.day, state, signal);
    if (before !== null) return;
    const { keepDays, schedule } = config.monitoring.reports;
    const firstKept = calendarDay(schedule?.timeZone ?? "UTC")(new Date(now().getTime() - keepDays * DAY_MS));
    await removeReportsBefore(config, firstKept);
  } finally {
    lock.release();
  }
}

/** It is made, and mailed as far as it can be now. */
function isDone(state: ReportState | null, { config, mailer, now }: ReportsDeps): boolean {
  if (state === null) return false;
  const { sentAt, nextAt } = state.mail;
  if (sentAt !== null || mailer === null || config.monitoring.reports.to.length === 0) return true;
  return nextAt !== null && now() < nextAt && nextAt.getTime() - now().getTime() <= DAY_MS;
}

/** A site that is younger than the slot has nothing to report about the time before it. */
async function hasRecordBefore(audit: Pick<AuditLog, "query">, moment: number): Promise<boolean> {
  for await (const event of audit.query({ to: new Date(moment) }, "oldest-first")) return event.at.getTime() < moment;
  return false;
}

async function makeAndKeep(deps: ReportsDeps, { day, period }: DueReport, signal: AbortSignal): Promise<ReportState> {
  const { config, maker, log } = deps;
  const { language } = config.monitoring.reports;
  const { report, html } = await maker.make({ period, database: null, language }, signal);
  const state = await keepReport(config, day, report, html);
  log.info({ day }, "the report of the day is made");
  return state;
}

async function mailKept(deps: ReportsDeps, day: string, state: ReportState, signal: AbortSignal): Promise<void> {
  const { config, mailer, record, now, log } = deps;
  const { to } = config.monitoring.reports;
  const attempts = state.mail.attempts + 1;
  try {
    const kept = await readKeptReport(config, day, "json");
    const report = reportSchema.parse(JSON.parse(kept ?? ""));
    await mailer?.send(mailOf(renderReport(report), to), signal);
  } catch (error) {
    if (signal.aborted) return;
    const problem = hidePasswords(messageOf(error));
    const wait = MAIL_AGAIN_MS[Math.min(attempts, MAIL_AGAIN_MS.length) - 1] ?? DAY_MS;
    const nextAt = new Date(now().getTime() + wait);
    // Once, however often it is tried; first, as a crash in between may record it twice, but not swallow it.
    if (attempts === 1) await record(failed(day, error));
    await writeReportState(config, day, { ...state, mail: { attempts, sentAt: null, problem, nextAt } });
    log.error({ day, reason: problem }, "the report of the day is kept, but could not be mailed; it is tried again");
    return;
  }
  await writeReportState(config, day, { ...state, mail: { attempts, sentAt: now(), problem: null, nextAt: null } });
  await record({ action: "report.sent", outcome: "ok", actor: ITSELF, details: { day, to: to.length, attempts } });
  log.info({ day }, "the report of the day is mailed");
}

function failed(day: string, error: unknown) {
  const { code, message } = { code: codeOf(error) ?? "UNKNOWN", message: hidePasswords(messageOf(error)) };
  return {
    action: "report.failed",
    outcome: "failed",
    actor: ITSELF,
    error: { code, message },
    details: { day },
  } as const;
}
