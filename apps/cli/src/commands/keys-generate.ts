import type { Command } from "commander";
import type { GenerateOptions } from "../actions/keys/generate.ts";
import { notEmpty } from "../arguments.ts";
import { perform } from "../perform.ts";

export function addKeys(program: Command): void {
  program
    .command("keys")
    .description("make keys")
    .command("generate")
    .description("make a key pair to encrypt backups with, and the key that signs them")
    .option(
      "--identity-file <path>",
      "where the secret key goes; never overwritten (default: trivault-identity.txt, in the home folder where this one is a git clone)",
      notEmpty,
    )
    .option("--json", "print one JSON object on stdout (the secret key is not in it)")
    .addHelpText(
      "after",
      `
It needs no configuration. The signing key is kept (BACKUP_SIGNING_KEY_FILE, by default .trivault/signing.key under
BACKUP_DIR) where there is one already.

Examples:
  npm run backup:keys:generate
  npm run backup:keys:generate -- --identity-file /media/usb/escrow-identity.txt`,
    )
    .action((options: GenerateOptions) =>
      perform(options, async (running) => (await import("../actions/keys/generate.ts")).generate(options, running)),
    );
}
