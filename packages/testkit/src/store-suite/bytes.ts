import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { backupKey, type Key, newBackupId } from "@trivault/core";
import { type Source, type StoredObject } from "@trivault/storage";

export const MIB = 1024 * 1024;

/** Source of given bytes in chunks of a size, as a file or socket would give them. */
export function chunked(bytes: Uint8Array, chunkSize: number): Source {
  return {
    size: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    async *open() {
      for (let at = 0; at < bytes.byteLength; at += chunkSize) yield bytes.subarray(at, at + chunkSize);
    },
  };
}

/** As `chunked`, in one buffer that is overwritten for each chunk, as a file that is read for a copy gives them. */
export function inOneBuffer(bytes: Uint8Array, chunkSize: number): Source {
  const chunks = chunked(bytes, chunkSize);
  return {
    ...chunks,
    async *open(signal) {
      const buffer = Buffer.allocUnsafeSlow(chunkSize);
      for await (const chunk of chunks.open(signal)) {
        buffer.set(chunk);
        yield buffer.subarray(0, chunk.byteLength);
      }
    },
  };
}

/** Runs `work` for each item, `limit` at a time. */
export async function eachOf<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

export function newDatabase(): string {
  return `db_${randomBytes(6).toString("hex")}`;
}

export function newKey(database = newDatabase()): Key {
  return backupKey(database, newBackupId(), "data-000001.zst.age");
}

export function range(start: number, end: number): { start: number; end: number } {
  return { start, end };
}

export async function collect<T extends StoredObject | Uint8Array>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items);
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("this harness needs `network`");
  return value;
}

export function openHandles(): number {
  return readdirSync("/proc/self/fd").length;
}
