import { codeOf, messageOf, TrivaultError } from "@trivault/core";
import { keyFileError, readKeyFile, writeKeyFile } from "./key-file.ts";
import { isPublicKey } from "./signature.ts";

/** The lines of an identity file that `age -i` passes over and we read. */
const SIGNING_KEY_LINE = "# signing public key: ";

export interface KeyPair {
  /** `AGE-SECRET-KEY-1…`: opens backups. */
  readonly identity: string;
  /** `age1…`: encrypts them. */
  readonly recipient: string;
}

export interface IdentityFile {
  readonly identities: string[];
  /** `tvsign1…`: whose manifests its owner trusts. */
  readonly trustedKeys: string[];
}

export async function generateKeys(): Promise<KeyPair> {
  const { generateIdentity, identityToRecipient } = await import("age-encryption");
  const identity = await generateIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** A file that `age -i` takes as it is. EXISTS where there is a file already: it may be the only key to older backups. */
export async function writeIdentityFile(
  path: string,
  { identity, recipient }: KeyPair,
  signingPublicKey: string | null,
): Promise<void> {
  const lines = [`# created: ${new Date().toISOString()}`, `# public key: ${recipient}`];
  if (signingPublicKey !== null) lines.push(SIGNING_KEY_LINE + signingPublicKey);
  try {
    await writeKeyFile(path, `${[...lines, identity].join("\n")}\n`);
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") {
      throw new TrivaultError(
        "EXISTS",
        `${path} exists and is left as it is: without it, backups made for its key could not be opened. Choose another ` +
          "name for the new key.",
        { permanent: true, cause },
      );
    }
    throw keyFileError(
      `The identity file ${path} cannot be written: ${messageOf(cause)}. Choose another place.`,
      cause,
    );
  }
}

/** KEY_FILE where it cannot be used; what is wrong is named by its line, never by its text. */
export async function readIdentityFile(path: string): Promise<IdentityFile> {
  const identities: string[] = [];
  const trustedKeys: string[] = [];
  const text = await readKeyFile(path, "identity file");
  if (/^(?:age-encryption\.org\/|-----BEGIN )/.test(text)) {
    throw keyFileError(
      `${path} is itself encrypted, or a key of another kind (such as SSH). Decrypt it first (\`age -d\`), or give the ` +
        "identity file that `npm run backup:keys:generate` or `age-keygen` wrote.",
    );
  }
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line.startsWith(SIGNING_KEY_LINE)) {
      const key = line.slice(SIGNING_KEY_LINE.length).trim();
      if (!isPublicKey(key)) throw keyFileError(`${path}, line ${i + 1}: this is no signing public key (tvsign1…).`);
      trustedKeys.push(key);
    } else if (line !== "" && !line.startsWith("#")) {
      await check(line, `${path}, line ${i + 1}`);
      identities.push(line);
    }
  }
  if (identities.length === 0) {
    throw keyFileError(
      `${path} holds no age identity (a line AGE-SECRET-KEY-1…). Give the file that \`npm run backup:keys:generate\` or ` +
        "`age-keygen` wrote.",
    );
  }
  return { identities, trustedKeys };
}

async function check(identity: string, where: string): Promise<void> {
  const { identityToRecipient } = await import("age-encryption");
  try {
    await identityToRecipient(identity);
  } catch {
    // Without its cause: the library's message may repeat the key.
    throw keyFileError(
      `${where}: this is no valid age identity (AGE-SECRET-KEY-1…); it may have been cut or mistyped. Copy it again from ` +
        "where it is kept.",
    );
  }
}
