import type { KeyObject } from "node:crypto";
import { isMarkedAsUntransferable } from "node:worker_threads";
import type { Decrypter } from "age-encryption";
import { type Segment, TrivaultError } from "@trivault/core";
import { AgeError } from "./age-error.ts";
import { explain } from "./explain.ts";
import { decrypterFor, headerLength, readHeader } from "./header.ts";
import { NONCE, payloadKey } from "./stream.ts";
import { createSegmentThreads, type SegmentThread } from "./thread.ts";

export interface Opener {
  /**
   * Checks a segment against its manifest entry, decrypts it where its name ends in `.age`, and checks what comes out.
   * It takes `cipher` over: the plaintext is usually made in the same memory, and `cipher` is then empty. Use only what is
   * returned; its `.buffer` may take the next segment.
   *
   * CORRUPT where anything differs, DECRYPT_FAILED where no identity fits, KEY_FILE where there is none: all permanent for
   * these bytes. Another tier's copy may be good.
   */
  open(cipher: Uint8Array, segment: Segment): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens segments in threads of their own, two at a time. `identities` are needed only where segments are encrypted. */
export function createOpener(identities: readonly string[] | null): Opener {
  return openerOn(createSegmentThreads(), identities && decrypterFor(identities));
}

export function openerOn(thread: SegmentThread, decrypter: Decrypter | null): Opener {
  return {
    async open(cipher, segment) {
      const { size, sha256 } = segment;
      if (cipher.length !== size) throw corrupt(segment, `${size} bytes are listed, ${cipher.length} were read`);
      const key = segment.name.endsWith(".age") ? await readKey(cipher, segment, decrypter) : null;
      const age = key instanceof Error ? null : key;
      const memory = memoryOf(cipher);
      const hashPlain = segment.plainSha256 !== undefined;
      const reply = await thread.run({ kind: "open", memory, size, sha256, age, hashPlain });
      // In this order: bytes that are not those of the manifest explain every other fault.
      if (reply.is === "wrong-hash") throw corrupt(segment, "its SHA-256 is not the one listed");
      if (key instanceof Error) throw key;
      if (reply.is === "broken") throw corrupt(segment, `its encrypted chunk ${reply.chunk} is not authentic`);
      if (reply.plainSize !== segment.plainSize || (hashPlain && reply.plainSha256 !== segment.plainSha256)) {
        throw corrupt(segment, "what it decrypts to is not what is listed");
      }
      return new Uint8Array(reply.memory, 0, reply.plainSize);
    },
    close: () => thread.close(),
  };
}

type PayloadKey = { readonly start: number; readonly key: KeyObject };

/** Why a header does not open is returned, not thrown: it counts only once the segment's hash is known to be right. */
async function readKey(
  cipher: Uint8Array,
  segment: Segment,
  decrypter: Decrypter | null,
): Promise<PayloadKey | TrivaultError> {
  if (!decrypter) {
    throw new TrivaultError(
      "KEY_FILE",
      `Segment ${segment.name} is encrypted and no identity is configured. Set BACKUP_IDENTITY_FILE to the identity file ` +
        "that `npm run backup:keys:generate` wrote.",
      { permanent: true },
    );
  }
  try {
    const length = headerLength(cipher);
    if (length === null || cipher.length < length + NONCE) throw new AgeError("header", "it is cut short");
    const fileKey = await readHeader(cipher.subarray(0, length), decrypter);
    const start = length + NONCE;
    return { start, key: payloadKey(fileKey, cipher.subarray(length, start)) };
  } catch (error) {
    const explained = explain(error, `Segment ${segment.name}`);
    if (explained instanceof TrivaultError) return explained;
    throw error;
  }
}

/** The segment's memory, to be moved into the thread; a copy where others may have data in the same memory. */
function memoryOf(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  const whole = bytes.byteOffset === 0 && 2 * bytes.length > buffer.byteLength;
  if (whole && buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer)) return buffer;
  return new Uint8Array(bytes).buffer;
}

function corrupt({ name }: Segment, why: string): TrivaultError {
  return new TrivaultError(
    "CORRUPT",
    `Segment ${name} is not the one its manifest lists: ${why}. It was changed or damaged where it lies, or on the way; ` +
      "use the copy of another tier.",
    { permanent: true },
  );
}
