import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { background, TrivaultError } from "@trivault/core";
import { followRun, LOOKS_PER_CHECK } from "../poll.ts";
import { type RunDirectory, throwIfAborted } from "../run-directory.ts";
import { MAX_WAITING_PARTS, partPath, readSpool } from "../spool.ts";

const LEVEL = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

export interface SpoolFileOptions {
  readonly segmentSize: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Writes bytes into the spool as one zstd stream, cut into parts as `split` does for a dump (a part is complete when the
 * next one exists), and waits while too many of them wait to be sealed. What it wrote is decompressed again on the way and
 * compared: the plaintext that this comes from will be deleted.
 */
export async function spoolBytes(
  run: RunDirectory,
  bytes: AsyncIterable<Uint8Array>,
  { segmentSize, signal, onBytes }: SpoolFileOptions,
): Promise<{ parts: number; lastPartSize: number }> {
  const compressor = createZstdCompress({ params: LEVEL });
  const proof = createZstdDecompress();
  const [original, again] = [createHash("sha256"), createHash("sha256")];
  proof.on("data", (chunk: Buffer) => again.update(chunk));
  const proven = background(finished(proof));
  const compressing = background(
    compress(bytes, compressor, (chunk) => {
      original.update(chunk);
      onBytes(chunk.length);
    }),
    (error) => compressor.destroy(error as Error),
  );
  const parts = partWriter(run, segmentSize, signal);
  try {
    for await (const chunk of compressor as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      if (!proof.write(chunk)) await drained(proof);
      await parts.write(chunk);
    }
    await compressing;
    proof.end();
    await proven;
    if (original.digest("hex") !== again.digest("hex")) {
      throw new TrivaultError("CORRUPT", "What zstd compressed does not decompress to the same: is the memory faulty?");
    }
    return await parts.end();
  } finally {
    compressor.destroy();
    proof.destroy();
    await parts.close();
  }
}

async function compress(
  bytes: AsyncIterable<Uint8Array>,
  compressor: ReturnType<typeof createZstdCompress>,
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  for await (const chunk of bytes) {
    onChunk(chunk);
    if (!compressor.write(chunk)) await drained(compressor);
  }
  compressor.end();
}

/** Until it takes more, or is no more. */
async function drained(stream: NodeJS.WritableStream & { destroyed: boolean }): Promise<void> {
  if (stream.destroyed) throw new TrivaultError("CANCELLED", "The adoption was stopped.");
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error) => {
      for (const [name, listener] of listeners) stream.off(name, listener);
      if (error) reject(error);
      else resolve();
    };
    const listeners = [
      ["drain", () => settle()],
      ["error", settle],
      ["close", () => settle(new TrivaultError("CANCELLED", "The adoption was stopped."))],
    ] as const;
    for (const [name, listener] of listeners) stream.on(name, listener);
  });
}

function partWriter(run: RunDirectory, segmentSize: number, signal: AbortSignal) {
  let number = -1;
  let size = 0;
  let handle: FileHandle | null = null;
  const next = async () => {
    await handle?.close();
    handle = null;
    await untilRoom(run, signal);
    handle = await open(partPath(run, ++number), "wx", 0o600);
    size = 0;
    return handle;
  };
  return {
    async write(chunk: Uint8Array) {
      for (let at = 0; at < chunk.length;) {
        const file = handle === null || size === segmentSize ? await next() : handle;
        const { bytesWritten } = await file.write(chunk, at, Math.min(chunk.length - at, segmentSize - size));
        at += bytesWritten;
        size += bytesWritten;
      }
    },
    async end() {
      await handle?.close();
      handle = null;
      return { parts: number + 1, lastPartSize: size };
    },
    async close() {
      await handle?.close();
    },
  };
}

async function untilRoom(run: RunDirectory, signal: AbortSignal): Promise<void> {
  using follower = followRun(run);
  for (let look = 0; (await readSpool(run)).parts.length > MAX_WAITING_PARTS; look++) {
    if (look % LOOKS_PER_CHECK === 0) await throwIfAborted(run);
    await follower.pause(signal);
  }
}
