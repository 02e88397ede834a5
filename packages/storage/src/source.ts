import { createHash } from "node:crypto";
import { type Key, sha256Hex, TrivaultError } from "@trivault/core";
import { untilAborted } from "./cancellation.ts";
import type { CallOptions, Source, Store } from "./store.ts";
import { wrongBytes } from "./store-errors.ts";

/** Bytes in memory, such as a manifest. `sha256` where it is known already. */
export function bytesSource(bytes: Uint8Array, sha256: string = sha256Hex(bytes)): Source {
  return {
    size: bytes.byteLength,
    sha256,
    async *open() {
      yield bytes;
    },
  };
}

/**
 * Bytes that end only once `confirm` has passed. A `put` gets to that end when all it wrote lies under a temporary name, and
 * right before it is published: where `confirm` throws, nothing is.
 */
export function confirmedSource(bytes: Uint8Array, confirm: () => Promise<void>): Source {
  return {
    ...bytesSource(bytes),
    async *open() {
      yield bytes;
      await confirm();
    },
  };
}

/** An object of another store, read anew at each `open`. */
export function storeSource(store: Store, key: Key, object: { size: number; sha256: string }): Source {
  return { size: object.size, sha256: object.sha256, open: (signal) => store.get(key, { signal, reuseChunks: true }) };
}

/** The whole of a small object. `maxBytes` bounds what an untrusted tier can make us hold: CORRUPT beyond. */
export async function readAll(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  name = "An object",
): Promise<Buffer> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > maxBytes) throw largerThan(maxBytes, name);
    all.push(chunk);
  }
  return Buffer.concat(all, size);
}

/** An object of a known size, into memory that is its own; less where fewer bytes come, CORRUPT where more do. */
export async function readSized(chunks: AsyncIterable<Uint8Array>, size: number, name: string): Promise<Uint8Array> {
  const all = new Uint8Array(new ArrayBuffer(size));
  let filled = 0;
  for await (const chunk of chunks) {
    if (filled + chunk.byteLength > size) throw largerThan(size, name);
    all.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return all.subarray(0, filled);
}

function largerThan(bytes: number, name: string): TrivaultError {
  return new TrivaultError("CORRUPT", `${name} is larger than the ${bytes} bytes it may have.`, { permanent: true });
}

export async function hashAll(chunks: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { size, sha256: hash.digest("hex") };
}

/** The chunks of a source, never more than its size: CORRUPT where they are more or fewer. Its hash is the caller's task. */
export async function* sizedChunks(
  source: Source,
  target: { store: string; key: Key },
  signal: CallOptions["signal"],
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of untilAborted(source.open(signal), signal)) {
    size += chunk.byteLength;
    if (size > source.size) throw wrongBytes(target.store, target.key, `more than ${source.size} bytes came`);
    if (chunk.byteLength > 0) yield chunk;
  }
  if (size < source.size) {
    throw wrongBytes(target.store, target.key, `${size} bytes came instead of ${source.size}`);
  }
}
