import type { Command } from "commander";
import type { RestoreOptions } from "../actions/backups/restore.ts";
import { backupIdOr, notEmpty, wholeNumber } from "../arguments.ts";
import { readSecret } from "../ask.ts";
import { say } from "../output.ts";
import { perform } from "../perform.ts";

export function addRestore(program: Command): void {
  program
    .command("restore")
    .description("restore a backup into a new or empty database")
    .requiredOption("--database <name>", "whose backup, as `list` shows it", notEmpty)
    .option("--backup <id>", "a backup's id, or latest", backupIdOr("latest"), "latest")
    .option("--from <tier>", "local, remote, cloud; or any: each segment from the first tier that has it good", "any")
    .option("--target <url>", "the database to restore into; - reads it from stdin, or asks for it")
    .option("--force", "replace what the target holds, where it is not empty")
    .option("--yes", "do not ask for confirmation of --force")
    .option("--no-owner", "everything belongs to the user who restores; no grants are made")
    .option("--globals", "first make those roles of the backup that the target lacks; none that exists is changed")
    .option(
      "--database-properties",
      "give a database that was there already the owner, settings, rights and comment of the one that was backed up; a new one gets them anyway",
    )
    .option("--jobs <n>", "parallel jobs of pg_restore", wholeNumber(1, 64), 1)
    .option("--allow-unsigned", "restore the backup named by --backup even where no key known here signed it")
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
It needs a tier, the identity file (BACKUP_IDENTITY_FILE) and a PostgreSQL server: neither Redis, nor the API, nor the
source database. Every segment is verified and decrypted before pg_restore sees a byte of it; afterwards the row counts
are compared. A target database that does not exist is made, and dropped again where the restore fails. The latest
backup is the newest that a key known here signed.

Without --target the URL is taken from BACKUP_RESTORE_TARGET. A URL with a password does not belong on a command line,
where every user of the machine can read it: put it there, or give it by --target -.

Examples:
  npm run backup:restore -- --database shop --target postgresql://admin@db2/shop_restored
  npm run backup:restore -- --database shop --backup 20261123t020000z-7f3k9xq2 --from cloud --target - < url.txt`,
    )
    .action((options: RestoreOptions, command: Command) =>
      perform(options, async (running) => {
        const { readEnvironment } = await import("../environment.ts");
        const environment = readEnvironment("read");
        if (/^\w+:\/\/[^/?]*:[^/?]*@|[?&]password=/.test(options.target ?? "")) {
          say(
            "Warning: every user of this machine can read the password in --target. Give the URL by --target - or in BACKUP_RESTORE_TARGET.",
          );
        }
        const target =
          options.target === "-" ? await readSecret("Target URL (is not shown): ", running.signal) : options.target;
        const targetUrl = target ?? environment.restoreTarget;
        if (targetUrl === null) {
          command.error("error: no target: say --target URL, --target - (stdin), or set BACKUP_RESTORE_TARGET");
        }
        return (await import("../actions/backups/restore.ts")).restore(environment, targetUrl, options, running);
      }),
    );
}
