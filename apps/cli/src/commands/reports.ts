import { LANGUAGES } from "@trivault/core/basics";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { GenerateOptions } from "../actions/reports/generate.ts";
import type { ReportsListOptions } from "../actions/reports/list.ts";
import { duration, notEmpty, pointInTime } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

export function addReports(program: Command): void {
  const reports = program.command("reports").description("how backups did over a time, and what needs a decision");
  addGenerate(reports);
  addList(reports);
}

function addGenerate(reports: Command): void {
  reports
    .command("generate")
    .description("make a report of any period, as text, HTML or JSON; print, save or mail it")
    .option("--from <time>", "from when: 2026-11-23, 2026-11-23T02:00:00Z, or 24h, 7d ago", pointInTime)
    .option("--to <time>", "until when, in the same forms (default: now)", pointInTime)
    .option("--last <time>", "the last 24h, 7d, 4w, instead of --from and --to (default: 24h)", duration)
    .option("--database <name>", "only those of this database", notEmpty)
    .addOption(new Option("--format <format>", "its form (default: text; html with --output)").choices(FORMATS))
    .addOption(new Option("--language <language>", "its language (default: reports.language)").choices(LANGUAGES))
    .option("--output <file>", "write it into this file, which only you may read", notEmpty)
    .option("--mail", "mail it to reports.to, as HTML and text")
    .option("--mail-to <addresses>", "mail it to these instead, separated by commas", addresses)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Per database: runs, success rate, durations against the targets, recovery point reached, copies per tier, growth, cost;
what failed and why; what needs a decision. Success rate and availability are those of the 30 days up to the end of the
period, from recorded events (docs/reports.md). Neither Redis nor the API nor a source database is needed. The report of
each day is made by the API by itself, kept, and mailed (reports in trivault.config.yaml); this makes one more.

--json prints the report as JSON, unless it goes into a file or a mail: then it says where it went.

Examples:
  npm run backup:reports:generate
  npm run backup:reports:generate -- --last 7d --output week.html
  npm run backup:reports:generate -- --from 2026-11-01 --to 2026-12-01 --format html --output november.html
  npm run backup:reports:generate -- --last 30d --mail-to boss@example.org --language fr
  npm run --silent backup:reports:generate -- --json | jq .successRate30`,
    )
    .action((options: GenerateOptions, command: Command) => {
      if (options.last !== undefined && (options.from ?? options.to) !== undefined) {
        command.error("error: say --last, or --from and --to, not both");
      }
      return perform(options, async (running) =>
        (await import("../actions/reports/generate.ts")).reportsGenerate(options, running),
      );
    });
}

function addList(reports: Command): void {
  reports
    .command("list")
    .description("list the reports that are kept, newest first")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
They lie in BACKUP_DIR/.trivault/reports, as HTML and as JSON, for reports.keepDays (400 days by default).

Examples:
  npm run backup:reports:list
  npm run --silent backup:reports:list -- --json`,
    )
    .action((options: ReportsListOptions) =>
      perform(options, async (running) => (await import("../actions/reports/list.ts")).reportsList(running)),
    );
}

const FORMATS = ["text", "html", "json"] as const;

function addresses(text: string): string[] {
  const all = text.split(",").map((address) => address.trim());
  if (all.every((address) => /^[^\s@<>]+@[^\s@<>]+$/.test(address))) return all;
  throw new InvalidArgumentError("Expected mail addresses, separated by commas.");
}
