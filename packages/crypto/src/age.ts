import { randomBytes } from "node:crypto";
import type { Decrypter } from "age-encryption";
import { AgeError } from "./age-error.ts";
import { explain } from "./explain.ts";
import { decrypterFor, headerLength, makeHeader, readHeader } from "./header.ts";
import { createDecryptor, createEncryptor, NONCE, payloadKey } from "./stream.ts";

/** A whole age file in memory, for small things; segments go through createSealer and createOpener. */
export async function encryptAge(plain: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
  const { header, fileKey } = await makeHeader(recipients);
  const nonce = randomBytes(NONCE);
  const encryptor = createEncryptor(payloadKey(fileKey, nonce));
  return Buffer.concat([header, nonce, ...encryptor.update(plain), ...encryptor.final()]);
}

/** Throws CORRUPT, DECRYPT_FAILED (no identity fits) or KEY_FILE (a malformed identity). */
export async function decryptAge(cipher: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(decryptAgeStream([cipher], identities)));
}

/**
 * Yields authentic plaintext as it comes. What was yielded is not known to be the whole until the stream has ended
 * without an error.
 */
export async function* decryptAgeStream(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  identities: readonly string[],
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* openAge(source, decrypterFor(identities));
  } catch (error) {
    throw explain(error, "The file");
  }
}

/** As decryptAgeStream, but throws AgeError. */
export async function* openAge(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  decrypter: Decrypter,
): AsyncGenerator<Uint8Array, void> {
  // Until header and nonce are whole, bytes are gathered; each time at least doubling, so that single bytes stay cheap.
  let start: Buffer | null = Buffer.alloc(0);
  let used = 0;
  let fileKey: Uint8Array | null = null;
  let decryptor: ReturnType<typeof createDecryptor> | null = null;
  let header: number | null = null;
  for await (const bytes of source) {
    if (decryptor) {
      // Not yield*: in an async generator that waits at every call, even where there is nothing to yield yet.
      for (const plain of decryptor.update(bytes)) yield plain;
      continue;
    }
    if (start === null) continue;
    if (used + bytes.length > start.length) start = grow(start, used, bytes.length);
    start.set(bytes, used);
    used += bytes.length;
    header ??= headerLength(start.subarray(0, used));
    if (header === null) continue;
    fileKey ??= await readHeader(start.subarray(0, header), decrypter);
    if (used < header + NONCE) continue;
    decryptor = createDecryptor(payloadKey(fileKey, start.subarray(header, header + NONCE)));
    yield* decryptor.update(start.subarray(header + NONCE, used));
    start = null;
  }
  if (!decryptor) throw new AgeError("header", "it is cut short");
  yield* decryptor.final();
}

function grow(bytes: Buffer, used: number, more: number): Buffer {
  const larger = Buffer.alloc(Math.max(2 * bytes.length, used + more));
  larger.set(bytes.subarray(0, used));
  return larger;
}
