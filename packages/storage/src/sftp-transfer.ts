import { background } from "@trivault/core";
import { createHash } from "node:crypto";
import type { SftpConnection } from "./sftp-connection.ts";
import { close, open } from "./sftp-files.ts";

/** More would make the packets of other calls wait too long behind these. */
const REQUEST_SIZE = 254 * 1024;
/** The window of an SSH channel of OpenSSH: more would wait here, in memory. */
const IN_FLIGHT = 2 * 1024 * 1024;

/**
 * Writes chunks one behind the other, many requests at a time. Each request is one packet, which ssh2 copies when it is asked
 * to send it: so a chunk may be overwritten once the next is asked for, acknowledged or not.
 */
export async function writeChunks(
  connection: SftpConnection,
  handle: Buffer,
  chunks: AsyncIterable<Uint8Array>,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<void> {
  const largest = Math.min(REQUEST_SIZE, connection.largest.write);
  const atATime = Math.floor(IN_FLIGHT / largest);
  const writes: Promise<void>[] = [];
  let position = 0;
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Equal parts, so that no chunk ends in a request of a few bytes.
    const part = Math.ceil(buffer.length / Math.ceil(buffer.length / largest));
    for (let start = 0; start < buffer.length; start += part) {
      if (writes.length === atATime) await writes.shift();
      const length = Math.min(part, buffer.length - start);
      const at = position;
      const write = connection.request<void>((sftp, done) => sftp.write(handle, buffer, start, length, at, done));
      writes.push(background(write.then(() => onBytes?.(length))));
      position += length;
    }
  }
  await Promise.all(writes);
}

/** Bytes `start` to `end` (not included) of an open file, in order, many requests at a time; fewer where it ends before. */
export async function* readChunks(
  connection: SftpConnection,
  handle: Buffer,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const largest = Math.min(REQUEST_SIZE, connection.largest.read);
  const atATime = Math.floor(IN_FLIGHT / largest);
  const reads: Promise<Buffer>[] = [];
  let position = start;
  for (;;) {
    for (; reads.length < atATime && position < end; position += largest) {
      reads.push(background(readBlock(connection, handle, position, Math.min(largest, end - position))));
    }
    const block = await reads.shift();
    if (!block) return;
    if (block.length > 0) yield block;
  }
}

/** The SHA-256 of the first `size` bytes of a file, read back. */
export async function hashFile(connection: SftpConnection, file: string, size: number): Promise<string> {
  const handle = await open(connection, file, "r");
  try {
    const hash = createHash("sha256");
    for await (const chunk of readChunks(connection, handle, 0, size)) hash.update(chunk);
    return hash.digest("hex");
  } finally {
    await close(connection, handle);
  }
}

/** A server may answer with fewer bytes than it was asked for; only none means the end. */
async function readBlock(connection: SftpConnection, handle: Buffer, at: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const count = await connection.request<number>((sftp, done) =>
      sftp.read(handle, block, filled, length - filled, at + filled, done),
    );
    if (count === 0) break;
    filled += count;
  }
  return block.subarray(0, filled);
}
