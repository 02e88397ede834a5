import { type FileHandle, open } from "node:fs/promises";
import {
  codeOf,
  keyOfEnvironment,
  messageOf,
  settingOf,
  type SftpTierConfig,
  shellWord,
  TrivaultError,
} from "@trivault/core";
import ssh2 from "ssh2";

type Tier = Pick<SftpTierConfig, "kind" | "origin" | "keyFile">;

/** The private key for a server, refused where OpenSSH's own client would refuse it. */
export async function readKeyFile(tier: Tier): Promise<Buffer> {
  const file = tier.keyFile;
  const setting = settingOf(tier, "keyFile");
  const given = keyOfEnvironment(file);
  if (given !== null) return checked(Buffer.from(given), tier);
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch (error) {
    const advice =
      codeOf(error) === "ENOENT"
        ? `There is no SSH key at ${file}. Make one with \`ssh-keygen -t ed25519 -N "" -f ${shellWord(file)}\`, put its .pub into ` +
          `~/.ssh/authorized_keys of the backup user on the server, or correct ${setting}.`
        : `The SSH key ${file} cannot be read: ${messageOf(error)}. Make it readable for the user that runs Trivault.`;
    throw keyFileError(advice, error);
  }
  try {
    const { mode, uid } = await handle.stat();
    const us = process.getuid?.() ?? 0;
    if (us !== 0 && uid !== us && uid !== 0) {
      throw keyFileError(
        `The SSH key ${file} belongs to user ${uid}, who may exchange it, and not to the user that runs Trivault (${us}). ` +
          `Let ${shellWord(file)} alone, and nothing around it, belong to this user, or correct ${setting}.`,
      );
    }
    // As OpenSSH: only the owner's own key must be closed to others; root may have to read another user's.
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
      throw keyFileError(
        `The SSH key ${file} is open to other users of this machine (mode ${(mode & 0o777).toString(8)}). Run ` +
          `\`chmod 600 ${shellWord(file)}\`; if others may have read it, make a new key.`,
      );
    }
    return checked(await handle.readFile(), tier);
  } catch (error) {
    if (error instanceof TrivaultError) throw error;
    throw keyFileError(`The SSH key ${file} cannot be read: ${messageOf(error)}.`, error);
  } finally {
    await handle.close();
  }
}

function checked(key: Buffer, tier: Tier): Buffer {
  const file = tier.keyFile;
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw unusable(file, parsed);
  if (!parsed.isPrivateKey()) {
    throw keyFileError(
      `${file} is a public key. Set ${settingOf(tier, "keyFile")} to the private key beside it (without .pub).`,
    );
  }
  return key;
}

function unusable(file: string, problem: Error): TrivaultError {
  if (/passphrase|encrypted/i.test(problem.message)) {
    return keyFileError(
      `The SSH key ${file} is protected by a passphrase, which nobody can type for an unattended backup. Make a key of its ` +
        `own for backups, \`ssh-keygen -t ed25519 -N "" -f <file>\`, and let the server accept it for SFTP only.`,
      problem,
    );
  }
  return keyFileError(
    `${file} is not a private SSH key that can be used (${problem.message}). Make one with \`ssh-keygen -t ed25519\`.`,
    problem,
  );
}

function keyFileError(message: string, cause?: unknown): TrivaultError {
  return new TrivaultError("KEY_FILE", message, { permanent: true, cause });
}
