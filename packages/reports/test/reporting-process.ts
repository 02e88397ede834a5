import { setTimeout as sleep } from "node:timers/promises";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { resolveConfig, silentLogger } from "@trivault/core";
import { openObserver } from "@trivault/monitor";
import { createMailer } from "@trivault/notify";
import { createReportMaker } from "../src/report-maker.ts";
import { listReports } from "../src/kept-reports.ts";
import { startReports } from "../src/start-reports.ts";

/** One process of a site that makes reports, until there is one that was mailed; from whatever time it gets as its own. */
const config = resolveConfig(process.env, "read");
const now = () => new Date(process.env["NOW"] ?? "");
const log = silentLogger();
const audit = openAuditLog(auditFolder(config.backupDir), { now });
const observer = openObserver(config, log);
const maker = createReportMaker({ config, observer, now });
const mailer = config.monitoring.mail && createMailer(config.monitoring.mail);
const reports = startReports({ config, maker, audit, record: audit.record, mailer, now, log, lookEveryMs: 20 });
const isSent = async () => (await listReports(config)).some(({ mail }) => mail.sentAt !== null);
while (!(await isSent())) await sleep(50);
await reports.close();
await mailer?.close();
await observer.close();
await audit.close();
