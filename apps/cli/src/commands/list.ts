import type { Command } from "commander";
import type { ListOptions } from "../actions/backups/list.ts";
import { notEmpty } from "../arguments.ts";
import { OPTION_TEXTS } from "../option-texts.ts";
import { perform } from "../perform.ts";

export function addList(program: Command): void {
  program
    .command("list")
    .description("list the backups on all tiers, newest first")
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--fresh", "ask every tier itself, instead of believing what maintenance found lately")
    .option("--json", OPTION_TEXTS.json)
    .addHelpText(
      "after",
      `
Redis and the database are not needed. The local tier is listed as it is; for the others it shows what maintenance
found in its last two rounds and what was done since, and where that is older they are asked. "yes" is a complete copy,
"partial" one that is being made or was cut off, "damaged" one that maintenance makes anew if it can, "untrusted" one
that no key known here signed, "unknown" one that could not be read, "?" a tier that could not be asked. It ends with 0
unless no tier could be asked.

Examples:
  npm run backup:list
  npm run backup:list -- --fresh
  npm run --silent backup:list -- --database shop --json`,
    )
    .action((options: ListOptions) =>
      perform(options, async (running) => (await import("../actions/backups/list.ts")).list(options, running)),
    );
}
