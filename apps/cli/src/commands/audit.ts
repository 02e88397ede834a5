import { AUDIT_ACTIONS, AUDIT_OUTCOMES, type AuditAction } from "@trivault/audit/event";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LogsOptions } from "../actions/audit/logs.ts";
import type { AuditVerifyOptions } from "../actions/audit/verify.ts";
import { backupId, notEmpty, pointInTime, wholeNumber } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

const MOST = 999_999;

export function addAudit(program: Command): void {
  const audit = program.command("audit").description("the audit log: who did what, when, and how it ended");
  addLogs(audit);
  addVerify(audit);
}

function addLogs(audit: Command): void {
  audit
    .command("logs")
    .description("show the audit log, newest last")
    .option("--from <time>", "not before: 2026-11-23, 2026-11-23T02:00:00Z, or 24h, 7d ago", pointInTime)
    .option("--to <time>", "not after, in the same forms", pointInTime)
    .option("--actor <name>", "by whom: user:<login>@<host>, token:<name>, schedule or maintenance", notEmpty)
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--backup <id>", "only those of this backup", backupId)
    .option("--tier <name>", "only those of this tier", notEmpty)
    .option("--action <names>", "such as backup.restored, or several, separated by commas", actions)
    .addOption(new Option("--outcome <outcome>", "only those that ended so").choices(AUDIT_OUTCOMES))
    .option("--limit <n>", "the newest so many (default: 100)", wholeNumber(1, MOST))
    .option("--follow", "go on with what is recorded from now on, until Ctrl-C")
    .addOption(new Option("--format <format>", "how it is printed").choices(["table", "json", "csv"]).default("table"))
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
--json is --format json: one JSON array, and with --follow one JSON object per line. Times are UTC. In CSV a text that a
spreadsheet would take for a formula is preceded by an apostrophe.

Examples:
  npm run backup:audit:logs -- --from 24h --outcome failed
  npm run backup:audit:logs -- --action backup.restored,backup.deleted --database shop
  npm run --silent backup:audit:logs -- --from 2026-11-01 --to 2026-11-30 --limit 100000 --format csv > november.csv
  npm run backup:audit:logs -- --follow`,
    )
    .action((options: LogsOptions) =>
      perform(options, async (running) => (await import("../actions/audit/logs.ts")).auditLogs(options, running)),
    );
}

function addVerify(audit: Command): void {
  audit
    .command("verify")
    .description("check the audit log's chain of hashes, and say where it was changed")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
It ends with 0 if every line is as it was written, and with 1 where one was changed, taken out, put in or moved, or the
end was cut off. Whoever may write to the folder can write the whole log anew: to be sure against that, keep the
number and hash that it prints elsewhere, and compare.

Examples:
  npm run backup:audit:verify
  npm run --silent backup:audit:verify -- --json`,
    )
    .action((options: AuditVerifyOptions) =>
      perform(options, async (running) => (await import("../actions/audit/verify.ts")).auditVerify(running)),
    );
}

function actions(text: string): AuditAction[] {
  return text.split(",").map((name) => {
    const known = AUDIT_ACTIONS.find((action) => action === name.trim());
    if (known !== undefined) return known;
    throw new InvalidArgumentError(
      `There is no action ${JSON.stringify(name)}. There is: ${AUDIT_ACTIONS.join(", ")}.`,
    );
  });
}
