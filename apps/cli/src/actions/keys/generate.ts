import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { looksSecret, TrivaultError } from "@trivault/core";
import { generateKeys, loadOrCreateSigningKey, writeIdentityFile } from "@trivault/crypto";
import { signingKeyFile } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { printJson, printText } from "../../output.ts";
import type { Running } from "../../perform.ts";

export interface GenerateOptions {
  readonly identityFile?: string;
  readonly json?: boolean;
}

interface Made {
  readonly recipient: string;
  readonly signingPublicKey: string;
  readonly identityFile: string;
  readonly signingKeyFile: string;
}

export async function generate(options: GenerateOptions, { json }: Running): Promise<number> {
  if (looksSecret(options.identityFile ?? "")) {
    throw new TrivaultError(
      "INPUT_INVALID",
      "--identity-file takes a path, and this is no path: it is not repeated here.",
      {
        permanent: true,
      },
    );
  }
  const signingFile = signingKeyFile();
  const identityFile = options.identityFile === undefined ? usualPlace() : path.resolve(options.identityFile);
  const { publicKey } = await loadOrCreateSigningKey(signingFile);
  const keys = await generateKeys();
  await writeIdentityFile(identityFile, keys, publicKey);
  const made = { recipient: keys.recipient, signingPublicKey: publicKey, identityFile, signingKeyFile: signingFile };
  if (json) printJson(made);
  else printText(instructions(made));
  return EXIT.ok;
}

/** Never within a clone, where one `git add -A` gives it away: there, the home folder. */
function usualPlace(): string {
  const above = (folder: string): string[] => [
    folder,
    ...(path.dirname(folder) === folder ? [] : above(path.dirname(folder))),
  ];
  const inClone = above(process.cwd()).some((folder) => existsSync(path.join(folder, ".git")));
  return path.join(inClone ? homedir() : process.cwd(), "trivault-identity.txt");
}

function instructions({ recipient, signingPublicKey, identityFile, signingKeyFile: file }: Made): string {
  return `Recipient (public):      ${recipient}
Signing key (public):    ${signingPublicKey}
Identity file (SECRET):  ${identityFile}
Signing key (SECRET):    ${file}

Put this into .env on the machine that makes backups:

  BACKUP_ENCRYPTION_RECIPIENTS=${recipient}

Then move the identity file off this machine, to where you will restore, and keep a copy of it in a safe place: without
it no backup can ever be opened, and with it every backup can. Making backups needs only the recipient. Where you restore:

  BACKUP_IDENTITY_FILE=/path/to/${path.basename(identityFile)}

It holds the public signing key as well, by which a restore knows your backups from forged ones. The signing key stays
here: it only signs.

For a second key (escrow), so that the loss of one is no disaster: run this again with another --identity-file, best on
another machine, and name both recipients, separated by a comma:

  BACKUP_ENCRYPTION_RECIPIENTS=${recipient},age1…`;
}
