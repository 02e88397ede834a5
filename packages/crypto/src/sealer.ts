import { type KeyObject, randomBytes } from "node:crypto";
import { formatBytes, TrivaultError } from "@trivault/core";
import { makeHeader } from "./header.ts";
import type { Sealed } from "./segment-thread.ts";
import { NONCE, payloadKey } from "./stream.ts";
import { cancelled, createSegmentThreads } from "./thread.ts";

/** What a manifest says about a segment. */
export interface SealedSegment {
  readonly size: number;
  /** Of the sealed bytes. */
  readonly sha256: string;
  readonly plainSize: number;
}

export interface Sealer {
  /**
   * Seals a file of at most `segmentSize` bytes into a new one that is open for writing, by its descriptor `target`. The call
   * settles only once nothing more is written there. NOT_FOUND where there is no such file, CANCELLED when `signal` aborts;
   * where `target` cannot be written, the file system's own error.
   */
  seal(file: string, target: number, signal?: AbortSignal): Promise<SealedSegment>;
  close(): Promise<void>;
}

/** Two segments at a time, such as those of two backups. Each segment becomes an age file of its own, encrypted to all `recipients`; null leaves it as it is, and only hashes. */
export function createSealer(options: { recipients: readonly string[] | null; segmentSize: number }): Sealer {
  const { recipients, segmentSize } = options;
  const threads = createSegmentThreads();
  return {
    async seal(file, target, signal) {
      if (signal?.aborted) throw cancelled(signal);
      const age = recipients && (await makePrefix(recipients));
      const reply = await threads.run({ kind: "seal", file, target, age, maxPlainSize: segmentSize });
      if (signal?.aborted) throw cancelled(signal);
      if (reply.is !== "sealed") throw explain(reply, file, segmentSize);
      const { size, sha256, plainSize } = reply;
      return { size, sha256, plainSize };
    },
    close: () => threads.close(),
  };
}

/** All of an age file that comes before the first chunk, and the key of its chunks. */
async function makePrefix(recipients: readonly string[]): Promise<{ prefix: Uint8Array; key: KeyObject }> {
  const { header, fileKey } = await makeHeader(recipients);
  const nonce = randomBytes(NONCE);
  return { prefix: Buffer.concat([header, nonce]), key: payloadKey(fileKey, nonce) };
}

function explain(reply: Exclude<Sealed, { is: "sealed" }>, file: string, segmentSize: number): Error {
  if (reply.is === "unwritable") return Object.assign(new Error(reply.message), { code: reply.code });
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
