import path from "node:path";
import { generateKeys, loadOrCreateSigningKey, writeIdentityFile } from "@trivault/crypto";
import type { Command } from "commander";
import { notEmpty } from "../arguments.ts";
import { signingKeyFile } from "../environment.ts";
import { EXIT } from "../exit-codes.ts";
import { print, printJson } from "../output.ts";
import { perform } from "../perform.ts";

interface GenerateOptions {
  readonly identityFile: string;
  readonly json?: boolean;
}

export function addKeys(program: Command): void {
  program
    .command("keys")
    .description("make keys")
    .command("generate")
    .description("make a key pair to encrypt backups with, and the key that signs them")
    .option("--identity-file <path>", "where the secret key goes; never overwritten", notEmpty, "trivault-identity.txt")
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
      perform(options, async ({ json }) => {
        const signingFile = signingKeyFile();
        const identityFile = path.resolve(options.identityFile);
        const { publicKey } = await loadOrCreateSigningKey(signingFile);
        const keys = await generateKeys();
        await writeIdentityFile(identityFile, keys, publicKey);
        const made = {
          recipient: keys.recipient,
          signingPublicKey: publicKey,
          identityFile,
          signingKeyFile: signingFile,
        };
        if (json) printJson(made);
        else print(instructions(made));
        return EXIT.ok;
      }),
    );
}

function instructions({ recipient, signingPublicKey, identityFile, signingKeyFile: file }: Record<string, string>) {
  return `Recipient (public):      ${recipient}
Signing key (public):    ${signingPublicKey}
Identity file (SECRET):  ${identityFile}
Signing key (SECRET):    ${file}

Put this into .env on the machine that makes backups:

  BACKUP_ENCRYPTION_RECIPIENTS=${recipient}

Then move the identity file off this machine, to where you will restore, and keep a copy of it in a safe place: without
it no backup can ever be opened, and with it every backup can. Making backups needs only the recipient. Where you restore:

  BACKUP_IDENTITY_FILE=/path/to/${path.basename(identityFile ?? "")}

It holds the public signing key as well, by which a restore knows your backups from forged ones. The signing key stays
here: it only signs.

For a second key (escrow), so that the loss of one is no disaster: run this again with another --identity-file, best on
another machine, and name both recipients, separated by a comma:

  BACKUP_ENCRYPTION_RECIPIENTS=${recipient},age1…`;
}
