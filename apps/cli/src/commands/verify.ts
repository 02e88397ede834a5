import type { Command } from "commander";
import type { VerifyOptions } from "../actions/backups/verify.ts";
import { backupIdOr, notEmpty } from "../arguments.ts";
import { perform } from "../perform.ts";

export function addVerify(program: Command): void {
  program
    .command("verify")
    .description("read every byte of a backup's copies and compare it with the signed manifest")
    .option("--database <name>", "which database (default: the only one configured)", notEmpty)
    .option("--backup <id>", "a backup's id, latest, or all", backupIdOr("latest", "all"), "latest")
    .option("--tier <name>", "only the copies on this tier", notEmpty)
    .option("--allow-unsigned", "believe manifests that are not signed by a key known here")
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
No key is needed: it is the encrypted bytes that are compared. It ends with 0 only if every tier holds a complete and
undamaged copy; with 1 where one is damaged, missing, or could not be read.

Examples:
  npm run backup:verify
  npm run backup:verify -- --backup all --tier local
  npm run --silent backup:verify -- --database shop --backup 20261123t020000z-7f3k9xq2 --json`,
    )
    .action((options: VerifyOptions) =>
      perform(options, async (running) => (await import("../actions/backups/verify.ts")).verify(options, running)),
    );
}
