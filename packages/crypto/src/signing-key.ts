import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { link, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, ensureFolder } from "@trivault/core";
import { keyFileError, readKeyFile, writeKeyFile } from "./key-file.ts";
import { publicKeyText, type SigningKey, signWith } from "./signature.ts";

/** Workers that start at once on one file all get the same key. */
export async function loadOrCreateSigningKey(file: string): Promise<SigningKey> {
  try {
    return await loadSigningKey(file);
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error.cause) !== "ENOENT") throw error;
  }
  await create(file);
  return loadSigningKey(file);
}

/** The file holds the key as PKCS#8 PEM, as `openssl genpkey` writes it. KEY_FILE where that cannot be used. */
export async function loadSigningKey(file: string): Promise<SigningKey> {
  const key = parse(await readKeyFile(file, "signing key"), file);
  const publicKey = publicKeyText(key);
  return { publicKey, sign: (bytes) => signWith(key, publicKey, bytes) };
}

/** Written under a name of its own, then linked: the first link wins, and no reader sees half a key. */
async function create(file: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await ensureFolder(dirname(file));
    await writeKeyFile(temporary, privateKey.export({ format: "pem", type: "pkcs8" }).toString());
    try {
      await link(temporary, file);
    } finally {
      await unlink(temporary);
    }
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return;
    throw keyFileError(`The signing key ${file} could not be made. Let this user write to ${dirname(file)}.`, cause);
  }
}

function parse(pem: string, file: string): KeyObject {
  let cause: unknown;
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (error) {
    cause = error;
  }
  throw keyFileError(
    `${file} holds no Ed25519 signing key (PKCS#8 PEM). Put it back from where it is kept; or move it away, and a new one ` +
      "is made, which readers of older backups then need beside the old public key.",
    cause,
  );
}
