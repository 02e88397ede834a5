import type { Command } from "commander";
import type { ListOptions } from "../actions/list.ts";
import { notEmpty } from "../arguments.ts";
import { perform } from "../perform.ts";

export function addList(program: Command): void {
  program
    .command("list")
    .description("list the backups on all tiers, newest first")
    .option("--database <name>", "only those of this database", notEmpty)
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
It asks the tiers themselves: Redis and the database are not needed. "yes" is a complete copy, "partial" one that is
being made or was cut off, "?" a tier that could not be asked. It ends with 0 unless no tier could be asked.

Examples:
  npm run backup:list
  npm run --silent backup:list -- --database shop --json`,
    )
    .action((options: ListOptions) =>
      perform(options, async (running) => (await import("../actions/list.ts")).list(options, running)),
    );
}
