import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { background, type Key } from "@trivault/core";
import { sizedChunks } from "./source.ts";
import type { Source } from "./store.ts";
import { wrongBytes } from "./store-errors.ts";

export interface Body {
  readonly stream: Readable;
  /** Aborts when the call does, and when the source fails: a failed body does not end its HTTP request by itself. */
  readonly signal: AbortSignal;
  /** Rejects when the source fails. */
  readonly failed: Promise<never>;
  failure(): Error | undefined;
}

/**
 * The bytes of a source as the body of a PUT. With `hash` it holds back the last chunk until the SHA-256 of all is known
 * to be right, so that a server that checks nothing never gets a complete wrong object.
 */
export function bodyOf(
  source: Source,
  target: { store: string; key: Key },
  abortSignal: AbortSignal,
  hash: boolean,
  onSent: (bytes: number) => void,
): Body {
  const chunks = sizedChunks(source, target, abortSignal);
  const stream = Readable.from(count(hash ? hashed(chunks, source, target) : chunks, onSent), { highWaterMark: 1 });
  const controller = new AbortController();
  let failure: Error | undefined;
  const failed = Promise.withResolvers<never>();
  stream.on("error", (error) => {
    failure = error;
    failed.reject(error);
    controller.abort(error);
  });
  return {
    stream,
    signal: AbortSignal.any([abortSignal, controller.signal]),
    failed: background(failed.promise),
    failure: () => failure,
  };
}

async function* count(chunks: AsyncIterable<Uint8Array>, onSent: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield Buffer.from(chunk); // A copy: the stream and the socket keep it while the source goes on.
    onSent(chunk.byteLength);
  }
}

async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  source: Source,
  target: { store: string; key: Key },
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    if (held) yield held;
    hash.update(chunk);
    held = Buffer.from(chunk);
  }
  if (hash.digest("hex") !== source.sha256) throw wrongBytes(target.store, target.key, "their SHA-256 differs");
  if (held) yield held;
}
