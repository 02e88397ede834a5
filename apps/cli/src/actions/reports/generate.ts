import path from "node:path";
import { listAlerts } from "@trivault/alerts";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { type Config, DAY_MS, type Language, type Logger, publishText, TrivaultError } from "@trivault/core";
import { createObserver } from "@trivault/monitor";
import { createMailer } from "@trivault/notify";
import { mailOf, makeReport, type RenderedReport, type ReportRequest } from "@trivault/reports";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson, printText, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { recordedError, withRecord } from "../../record.ts";
import { withTiers } from "../shared/with-tiers.ts";

export interface GenerateOptions {
  readonly from?: Date;
  readonly to?: Date;
  /** Milliseconds. */
  readonly last?: number;
  readonly database?: string;
  readonly format?: "text" | "html" | "json";
  readonly language?: Language;
  readonly output?: string;
  readonly mail?: boolean;
  readonly mailTo?: readonly string[];
  readonly json?: boolean;
}

export async function reportsGenerate(options: GenerateOptions, { signal, json }: Running): Promise<number> {
  const { config, log } = readEnvironment("read");
  const to = receivers(options, config);
  const made = await make(config, log, request(options, config), signal);
  const format = options.format ?? (options.output === undefined ? "text" : "html");
  const file = options.output === undefined ? null : path.resolve(options.output);
  if (file !== null) await publishText(file, inForm(made, format));
  if (to !== null) await mail(config, made, to, signal);
  const { summary, well } = made.report;
  if (file === null && to === null) {
    if (json) printJson(made.report);
    else printText(inForm(made, format).trimEnd());
  } else if (json) printJson({ summary, well, file, mailedTo: to });
  else {
    print(summary);
    if (file !== null) say(`The report is in ${file}.`);
    if (to !== null) say(`The report is mailed to ${to.join(", ")}.`);
  }
  return EXIT.ok;
}

function request({ from, to, last, database, language }: GenerateOptions, config: Config): ReportRequest {
  const end = to ?? new Date();
  const begin = from ?? new Date(end.getTime() - (last ?? DAY_MS));
  return {
    period: { from: begin.getTime(), to: end.getTime() },
    database: database ?? null,
    language: language ?? config.monitoring.reports.language,
  };
}

/** The site is looked at in this process. */
async function make(config: Config, log: Logger, wanted: ReportRequest, signal: AbortSignal): Promise<RenderedReport> {
  const now = () => new Date();
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  try {
    return await withTiers(config, async (tiers) => {
      const observer = createObserver({ config, tiers, audit, now, log });
      try {
        const overview = await observer.overview();
        signal.throwIfAborted();
        const alerts = (await listAlerts(config, wanted.language, now())).map(({ severity, title, raisedAt }) => {
          return { severity, title, since: new Date(raisedAt) };
        });
        return await makeReport({ config, audit, overview, alerts, now: now() }, wanted);
      } finally {
        await observer.close();
      }
    });
  } finally {
    await audit.close();
  }
}

function inForm({ report, html, text }: RenderedReport, format: "text" | "html" | "json"): string {
  return { text, html, json: `${JSON.stringify(report, null, 2)}\n` }[format];
}

/** Null where it shall not be mailed. */
function receivers({ mail: asked, mailTo }: GenerateOptions, { monitoring }: Config): readonly string[] | null {
  if (mailTo === undefined && !asked) return null;
  const to = mailTo ?? monitoring.reports.to;
  if (monitoring.mail === null || to.length === 0) {
    const missing = monitoring.mail === null ? "no mail server is configured (mail)" : "reports.to is empty";
    const message = `The report cannot be mailed: ${missing}. Add it to trivault.config.yaml; docs/configuration.md shows how.`;
    throw new TrivaultError("CONFIG_INVALID", message, { permanent: true });
  }
  return to;
}

async function mail(config: Config, made: RenderedReport, to: readonly string[], signal: AbortSignal): Promise<void> {
  const { mail: server } = config.monitoring;
  if (server === null) return;
  const { from, to: until } = made.report.period;
  const details = { from, until, to: to.length };
  await withRecord(config, async (record) => {
    const mailer = createMailer(server);
    try {
      await mailer.send(mailOf(made, to), signal);
    } catch (error) {
      const event = { action: "report.failed", outcome: "failed", actor: actor(), details } as const;
      await record({ ...event, error: recordedError(error) });
      throw error;
    } finally {
      await mailer.close();
    }
    await record({ action: "report.sent", outcome: "ok", actor: actor(), details });
  });
}
