import type { Command } from "commander";
import type { EncryptAutoOptions } from "../actions/encrypt/auto.ts";
import { notEmpty } from "../arguments.ts";
import { perform } from "../perform.ts";

export function addEncrypt(program: Command): void {
  program
    .command("encrypt")
    .description("seal what lies in plaintext")
    .command("auto")
    .description("find plaintext dumps in BACKUP_DIR, make an encrypted backup of each, and delete the plaintext")
    .option("--database <name>", "all of them are of this database (default: as each dump or its name says)", notEmpty)
    .option("--keep", "leave the plaintext where it is")
    .option("--dry-run", "only show what would be done; nothing is changed")
    .option("--yes", "do not ask before plaintext is deleted")
    .option("--json", "print one JSON object on stdout")
    .addHelpText(
      "after",
      `
Content shows what a dump is, its name does not: pg_dump's custom and tar formats and plain SQL, each of them also
compressed by gzip or zstd. Each is read from end to end before anything is done. A plaintext is deleted only after its
backup was verified on the local tier; deleting does not wipe a disk. The other tiers get their copies by maintenance.

It ends with 1 where something was refused (damaged, cut off, a format that cannot be adopted); the others are done.

Examples:
  npm run backup:encrypt:auto -- --dry-run
  npm run backup:encrypt:auto -- --yes
  npm run backup:encrypt:auto -- --database shop --keep`,
    )
    .action((options: EncryptAutoOptions) =>
      perform(options, async (running) => (await import("../actions/encrypt/auto.ts")).encryptAuto(options, running)),
    );
}
