import { InvalidArgumentError, type Command } from "commander";
import type { RunOptions } from "../actions/run/run.ts";
import { notEmpty } from "../arguments.ts";
import { perform } from "../perform.ts";

export function addRun(program: Command): void {
  program
    .command("run")
    .description("make a backup now: by the workers, or with --inline in this process")
    .option("--database <name>", "which database (default: the only one configured)", notEmpty)
    .option("--wait", "show progress until every copy is complete, or the backup failed")
    .option("--inline", "carry out all stages in this process: needs neither Redis nor workers")
    .option(
      "--idempotency-key <key>",
      "the same key within a day means the same backup, not another one",
      idempotencyKey,
    )
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
Without --wait it ends as soon as the backup is in the queue. With --wait or --inline it ends with 0 only if the dump,
the encryption and the copy to every tier are complete. Ctrl-C ends an --inline backup and leaves nothing of it; with
--wait it ends the waiting only.

Examples:
  npm run backup:run -- --wait
  npm run backup:run -- --inline --json          for a cron job on one machine
  npm run backup:run -- --idempotency-key "nightly-$(date +%F)"`,
    )
    .action((options: RunOptions, command: Command) => {
      if (options.inline && (options.wait || options.idempotencyKey !== undefined)) {
        command.error("error: --inline takes neither --wait nor --idempotency-key: it waits, and uses no queue");
      }
      return perform(options, async (running) => (await import("../actions/run/run.ts")).run(options, running));
    });
}

function idempotencyKey(text: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected up to 255 printable ASCII characters without spaces.");
}
