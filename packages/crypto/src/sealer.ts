import { type KeyObject, randomBytes } from "node:crypto";
import { formatBytes, TrivaultError, sha256Hex } from "@trivault/core";
import { encryptAge } from "./age.ts";
import { makeHeader } from "./header.ts";
import { cancelled, createPool } from "./pool.ts";
import type { Sealed } from "./segment-thread.ts";
import { NONCE, payloadKey, sealedSize } from "./stream.ts";
import { createSegmentThread } from "./thread.ts";

/** What a manifest says about a segment, and its bytes. */
export interface SealedBytes {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly sha256: string;
  readonly plainSize: number;
  readonly plainSha256: string;
}

export interface SealedSegment extends SealedBytes {
  /** To be called when `bytes` are no longer needed: their memory takes the next segment (and they become empty). */
  readonly release: () => void;
}

export interface Sealer {
  /**
   * Reads and seals a file of at most `segmentSize` bytes. Two segments may be out at a time: a third waits until one is
   * released. NOT_FOUND where there is no such file, CANCELLED when `signal` aborts.
   */
  seal(file: string, signal?: AbortSignal): Promise<SealedSegment>;
  close(): Promise<void>;
}

/** Bounds the memory: one segment is sealed while the one before it is being stored, or two are sealed at once. */
const BUFFERS = 2;

/** Each segment becomes an age file of its own, encrypted to all `recipients`; null leaves it as it is, and only hashes. */
export function createSealer(options: { recipients: readonly string[] | null; segmentSize: number }): Sealer {
  const { recipients, segmentSize } = options;
  const pool = createPool(BUFFERS);
  const threads = Array.from({ length: BUFFERS }, createSegmentThread);
  /** The one used last is used next: a caller that never seals two files at once never starts a second thread. */
  const idle = [...threads];

  return {
    async seal(file, signal) {
      const slot = await pool.take(signal);
      try {
        const age = recipients && (await makePrefix(recipients));
        const need = age ? age.prefix.length + sealedSize(segmentSize) : segmentSize;
        const thread = idle.pop();
        if (!thread) throw new Error("more segments are being sealed than there are slots");
        const job = { kind: "seal", file, age, maxPlainSize: segmentSize, memory: slot.memory(need) } as const;
        const reply = await thread.run(job).finally(() => idle.push(thread));
        slot.keep(reply.memory);
        if (signal?.aborted) throw cancelled(signal);
        if (reply.is !== "sealed") throw explain(reply, file, segmentSize);
        const { size, sha256, plainSize, plainSha256 } = reply;
        return {
          bytes: new Uint8Array(reply.memory, 0, size),
          size,
          sha256,
          plainSize,
          plainSha256,
          release: slot.release,
        };
      } catch (error) {
        slot.release();
        throw error;
      }
    },
    async close() {
      pool.close();
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** For small things, on the calling thread. */
export async function sealBytes(plain: Uint8Array, recipients: readonly string[] | null): Promise<SealedBytes> {
  const bytes = recipients ? await encryptAge(plain, recipients) : plain;
  return {
    bytes,
    size: bytes.length,
    sha256: sha256Hex(bytes),
    plainSize: plain.length,
    plainSha256: sha256Hex(plain),
  };
}

/** All of an age file that comes before the first chunk, and the key of its chunks. */
async function makePrefix(recipients: readonly string[]): Promise<{ prefix: Uint8Array; key: KeyObject }> {
  const { header, fileKey } = await makeHeader(recipients);
  const nonce = randomBytes(NONCE);
  return { prefix: Buffer.concat([header, nonce]), key: payloadKey(fileKey, nonce) };
}

function explain(reply: Exclude<Sealed, { is: "sealed" }>, file: string, segmentSize: number): TrivaultError {
  if (reply.is === "too-large") {
    return new TrivaultError(
      "INPUT_INVALID",
      `${file} holds ${formatBytes(reply.plainSize)}, more than the segment size of ${formatBytes(segmentSize)}. Was ` +
        "BACKUP_SEGMENT_SIZE changed, or is it not the same for all workers of this spool? Make it the same and start a " +
        "new backup.",
      { permanent: true },
    );
  }
  return new TrivaultError(
    reply.code === "ENOENT" ? "NOT_FOUND" : "STORE_FAILED",
    `${file} could not be read to be encrypted: ${reply.message}. It is part of the spool (BACKUP_SPOOL_DIR), which all ` +
      "workers of this site must share and which nothing else may change.",
  );
}
