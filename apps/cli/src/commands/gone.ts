import type { Command } from "commander";
import type { AcknowledgeOptions } from "../actions/databases/acknowledge.ts";
import type { DiscardOptions } from "../actions/databases/discard.ts";
import { notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

export function addAcknowledge(program: Command): void {
  program
    .command("acknowledge")
    .description("take note that a discovered database is gone from its server: nobody is alerted of it any more")
    .requiredOption("--database <name>", "which database", notEmpty)
    .option("--reason <text>", "why; it goes into the audit log", notEmpty)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Its backups stay on all tiers until they are discarded; no rule deletes them. Should it come back, it is backed up
again; should it vanish once more, that is reported once more.

Examples:
  npm run backup:acknowledge -- --database main.blog
  npm run --silent backup:acknowledge -- --database main.blog --reason "moved to crm" --json`,
    )
    .action((options: AcknowledgeOptions) =>
      perform(options, async (running) =>
        (await import("../actions/databases/acknowledge.ts")).acknowledge(options, running),
      ),
    );
}

export function addDiscard(program: Command): void {
  program
    .command("discard")
    .description("delete all backups of a database that is not configured (any more), from all tiers")
    .requiredOption("--database <name>", "which database", notEmpty)
    .option("--dry-run", OPTION_TEXTS.dryRun)
    .option("--yes", OPTION_TEXTS.yes)
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Refused where the database is configured, or where its server takes it by a pattern and still has it, or cannot be
asked. What goes is shown, and asked for on a terminal; elsewhere --yes must be said. What is marked (keep add), not
trusted or not known stays, and so does what lies on a tier that cannot be asked: then it ends with 1.

Examples:
  npm run backup:discard -- --database main.blog --dry-run
  npm run backup:discard -- --database main.blog --yes`,
    )
    .action((options: DiscardOptions, self: Command) => {
      if (options.dryRun && options.yes) self.error("error: say --dry-run or --yes, not both");
      return perform(options, async (running) =>
        (await import("../actions/databases/discard.ts")).discard(options, running),
      );
    });
}
