import { createHash, hash, type KeyObject } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { CHUNK, openChunk, SEALED_CHUNK, sealChunk, TAG } from "./stream.ts";

/**
 * The thread that reads, hashes and encrypts segments, or hashes and decrypts them, so that the process's event loop stays
 * free for connections and lock renewals. Jobs are done one at a time; each brings the memory to work in, which goes back
 * with the reply. Age's headers are made and read outside: only the payload comes here.
 */
export type Job = SealJob | OpenJob;
export type Reply<J extends Job> = { readonly memory: ArrayBuffer } & (J extends SealJob ? Sealed : Opened);

/** Seal `file` into the start of `memory`. */
export interface SealJob {
  readonly kind: "seal";
  readonly file: string;
  /** Header and nonce, and the payload's key; null to take the file as it is. */
  readonly age: { readonly prefix: Uint8Array; readonly key: KeyObject } | null;
  readonly maxPlainSize: number;
  readonly memory: ArrayBuffer;
}
export type Sealed =
  | { readonly is: "sealed"; size: number; sha256: string; plainSize: number; plainSha256: string }
  | { readonly is: "too-large"; readonly plainSize: number }
  | { readonly is: "unreadable"; readonly code: string; readonly message: string };

/** Check the first `size` bytes of `memory` and open them in place: the plaintext is at the start of the same memory. */
export interface OpenJob {
  readonly kind: "open";
  readonly memory: ArrayBuffer;
  readonly size: number;
  readonly sha256: string;
  /** Where the payload's chunks start, and its key; null where nothing is to be decrypted. */
  readonly age: { readonly start: number; readonly key: KeyObject } | null;
}
export type Opened =
  | { readonly is: "opened"; readonly plainSize: number; readonly plainSha256: string }
  | { readonly is: "wrong-hash" }
  | { readonly is: "broken"; readonly chunk: number };

/** What is read of a file at once: whole chunks, and little enough to be hashed and sealed from the CPU's cache. */
const piece = new Uint8Array(4 * CHUNK);

parentPort?.on("message", (job: Job) => {
  const answer = job.kind === "seal" ? seal(job) : open(job);
  parentPort?.postMessage({ ...answer, memory: job.memory }, [job.memory]);
});

function seal(job: SealJob): Sealed {
  try {
    const fd = openSync(job.file, "r");
    try {
      return sealFile(fd, job);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Only the file's operations are expected to fail; anything else ends the thread, which fails everyone who waits.
    if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
    return { is: "unreadable", code: String(error.code), message: error.message };
  }
}

function sealFile(fd: number, { age, maxPlainSize, memory }: SealJob): Sealed {
  const plainSize = fstatSync(fd).size;
  if (plainSize > maxPlainSize) return { is: "too-large", plainSize };
  const out = new Uint8Array(memory);
  const plainHash = createHash("sha256");
  const sealedHash = age && createHash("sha256").update(age.prefix);
  if (age) out.set(age.prefix);
  let size = age?.prefix.length ?? 0;
  let done = 0;
  let chunk = 0;
  do {
    const plain = piece.subarray(0, Math.min(piece.length, plainSize - done));
    if (!readWhole(fd, plain)) return changed("shrank");
    plainHash.update(plain);
    done += plain.length;
    const rest = out.subarray(size);
    const written = age ? sealPiece(age.key, chunk, done === plainSize, plain, rest) : copy(plain, rest);
    sealedHash?.update(rest.subarray(0, written));
    size += written;
    chunk += piece.length / CHUNK;
  } while (done < plainSize);
  if (readSync(fd, piece, 0, 1, null) > 0) return changed("grew");
  const plainSha256 = plainHash.digest("hex");
  return { is: "sealed", size, sha256: sealedHash?.digest("hex") ?? plainSha256, plainSize, plainSha256 };
}

/** Seals a piece that starts with chunk `index`; an empty piece is one empty chunk. */
function sealPiece(key: KeyObject, index: number, last: boolean, plain: Uint8Array, out: Uint8Array): number {
  let size = 0;
  let start = 0;
  do {
    const chunk = plain.subarray(start, start + CHUNK);
    start += CHUNK;
    size += sealChunk(key, index++, last && start >= plain.length, chunk, out.subarray(size));
  } while (start < plain.length);
  return size;
}

function copy(plain: Uint8Array, out: Uint8Array): number {
  out.set(plain);
  return plain.length;
}

function readWhole(fd: number, into: Uint8Array): boolean {
  for (let used = 0; used < into.length;) {
    const count = readSync(fd, into, used, into.length - used, null);
    if (count === 0) return false;
    used += count;
  }
  return true;
}

function changed(how: string): Sealed {
  return { is: "unreadable", code: "ECHANGED", message: `it ${how} while it was being read` };
}

function open({ memory, size, sha256, age }: OpenJob): Opened {
  const bytes = new Uint8Array(memory, 0, size);
  // First of all: what differs from the manifest is not even looked into.
  if (hash("sha256", bytes, "hex") !== sha256) return { is: "wrong-hash" };
  if (!age) return { is: "opened", plainSize: size, plainSha256: sha256 };
  const plainHash = createHash("sha256");
  let plainSize = 0;
  let index = 0;
  let start = age.start;
  do {
    const sealed = bytes.subarray(start, start + SEALED_CHUNK);
    start += SEALED_CHUNK;
    if (!openChunk(age.key, index, start >= size, sealed, bytes.subarray(plainSize))) {
      return { is: "broken", chunk: index + 1 };
    }
    const end = plainSize + sealed.length - TAG;
    plainHash.update(bytes.subarray(plainSize, end));
    plainSize = end;
    index++;
  } while (start < size);
  return { is: "opened", plainSize, plainSha256: plainHash.digest("hex") };
}
