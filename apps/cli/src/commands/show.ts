import type { Command } from "commander";
import type { ShowOptions } from "../actions/backups/show.ts";
import { backupId, notEmpty } from "../arguments.ts";
import { perform } from "../perform.ts";

export function addShow(program: Command): void {
  program
    .command("show")
    .description("show one backup: what its manifest says on each tier, and how to restore it")
    .argument("<id>", "the backup's id, as `list` prints it", backupId)
    .option("--database <name>", "where several databases are backed up", notEmpty)
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
The signature is checked, the segments are not read: \`verify\` does that. It ends with 1 where no manifest can be
believed.

Example:
  npm run backup:show -- 20261123t020000z-7f3k9xq2`,
    )
    .action((id: string, options: ShowOptions) =>
      perform(options, async (running) => (await import("../actions/backups/show.ts")).show(id, options, running)),
    );
}
