import { createHash, hash, type KeyObject } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { CHUNK, openChunk, SEALED_CHUNK, sealChunk, TAG } from "./stream.ts";

/**
 * The thread that seals segments from file to file, or hashes and decrypts them in memory, so that the process's event loop
 * stays free for connections and lock renewals. Jobs are done one at a time. Age's headers are made and read outside: only the
 * payload comes here.
 */
export type Job = SealJob | OpenJob;
export type Reply<J extends Job> = J extends SealJob ? Sealed : Opened & { readonly memory: ArrayBuffer };

/** Seal `file` into another one. */
export interface SealJob {
  readonly kind: "seal";
  readonly file: string;
  /** The descriptor of a new file, which takes what is sealed. It must stay open until the reply. */
  readonly target: number;
  /** Header and nonce, and the payload's key; null to take the file as it is. */
  readonly age: { readonly prefix: Uint8Array; readonly key: KeyObject } | null;
  readonly maxPlainSize: number;
}
export type Sealed =
  | { readonly is: "sealed"; readonly size: number; readonly sha256: string; readonly plainSize: number }
  | { readonly is: "too-large"; readonly plainSize: number }
  | { readonly is: "unreadable" | "unwritable"; readonly code: string; readonly message: string };

/**
 * Check the first `size` bytes of `memory` and open them in place: the plaintext is at the start of the same memory, which goes
 * back with the reply.
 */
export interface OpenJob {
  readonly kind: "open";
  readonly memory: ArrayBuffer;
  readonly size: number;
  readonly sha256: string;
  /** Where the payload's chunks start, and its key; null where nothing is to be decrypted. */
  readonly age: { readonly start: number; readonly key: KeyObject } | null;
  /** Whether the manifest lists the plaintext's hash, too. */
  readonly hashPlain: boolean;
}
export type Opened =
  | { readonly is: "opened"; readonly plainSize: number; readonly plainSha256: string | null }
  | { readonly is: "wrong-hash" }
  | { readonly is: "broken"; readonly chunk: number };

/** What is read of a file at once: whole chunks, and little enough to be sealed, hashed and written from the CPU's cache. */
const piece = new Uint8Array(4 * CHUNK);
const sealedPiece = new Uint8Array(4 * SEALED_CHUNK);

parentPort?.on("message", (job: Job) => {
  if (job.kind === "seal") parentPort?.postMessage(seal(job), []);
  else parentPort?.postMessage({ ...open(job), memory: job.memory }, [job.memory]);
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
    // Only the files' operations are expected to fail; anything else ends the thread, which fails everyone who waits.
    if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
    const is = error.syscall === "write" ? "unwritable" : "unreadable";
    return { is, code: String(error.code), message: error.message };
  }
}

/** What is hashed is what the kernel is given to write: nothing lies in between that could change it. */
function sealFile(fd: number, { target, age, maxPlainSize }: SealJob): Sealed {
  const plainSize = fstatSync(fd).size;
  if (plainSize > maxPlainSize) return { is: "too-large", plainSize };
  const hashed = createHash("sha256");
  let size = 0;
  const write = (bytes: Uint8Array) => {
    hashed.update(bytes);
    writeWhole(target, bytes);
    size += bytes.length;
  };
  if (age) write(age.prefix);
  let done = 0;
  let chunk = 0;
  do {
    const plain = piece.subarray(0, Math.min(piece.length, plainSize - done));
    if (!readWhole(fd, plain)) return changed("shrank");
    done += plain.length;
    write(age ? sealPiece(age.key, chunk, done === plainSize, plain) : plain);
    chunk += piece.length / CHUNK;
  } while (done < plainSize);
  if (readSync(fd, piece, 0, 1, null) > 0) return changed("grew");
  return { is: "sealed", size, sha256: hashed.digest("hex"), plainSize };
}

/** Seals a piece that starts with chunk `index`; an empty piece is one empty chunk. */
function sealPiece(key: KeyObject, index: number, last: boolean, plain: Uint8Array): Uint8Array {
  let size = 0;
  let start = 0;
  do {
    const chunk = plain.subarray(start, start + CHUNK);
    start += CHUNK;
    size += sealChunk(key, index++, last && start >= plain.length, chunk, sealedPiece.subarray(size));
  } while (start < plain.length);
  return sealedPiece.subarray(0, size);
}

function readWhole(fd: number, into: Uint8Array): boolean {
  for (let used = 0; used < into.length;) {
    const count = readSync(fd, into, used, into.length - used, null);
    if (count === 0) return false;
    used += count;
  }
  return true;
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
}

function changed(how: string): Sealed {
  return { is: "unreadable", code: "ECHANGED", message: `it ${how} while it was being read` };
}

function open({ memory, size, sha256, age, hashPlain }: OpenJob): Opened {
  const bytes = new Uint8Array(memory, 0, size);
  // First of all: what differs from the manifest is not even looked into.
  if (hash("sha256", bytes, "hex") !== sha256) return { is: "wrong-hash" };
  if (!age) return { is: "opened", plainSize: size, plainSha256: sha256 };
  const plainHash = hashPlain ? createHash("sha256") : null;
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
    plainHash?.update(bytes.subarray(plainSize, end));
    plainSize = end;
    index++;
  } while (start < size);
  return { is: "opened", plainSize, plainSha256: plainHash?.digest("hex") ?? null };
}
