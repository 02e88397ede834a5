import { createHash } from "node:crypto";
import type { SftpConnection } from "./sftp-connection.ts";

/**
 * The largest request that ssh2 sends whole (OpenSSH takes 256 KiB packets); a longer one it would split, one part after
 * the other.
 */
const REQUEST_SIZE = 254 * 1024;
/** Together 2 MiB, which is the window of an SSH channel of OpenSSH: more would wait here, in memory. */
const IN_FLIGHT = 8;

/** Writes chunks one behind the other, many requests at a time. ssh2 copies each, so a chunk may be reused after. */
export async function writeChunks(
  connection: SftpConnection,
  handle: Buffer,
  chunks: AsyncIterable<Uint8Array>,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<void> {
  const writes: Promise<void>[] = [];
  let position = 0;
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Equal parts, so that no chunk ends in a request of a few bytes.
    const part = Math.ceil(buffer.length / Math.ceil(buffer.length / REQUEST_SIZE));
    for (let start = 0; start < buffer.length; start += part) {
      if (writes.length === IN_FLIGHT) await writes.shift();
      const length = Math.min(part, buffer.length - start);
      const at = position;
      const write = connection
        .request<void>((sftp, done) => sftp.write(handle, buffer, start, length, at, done))
        .then(() => onBytes?.(length));
      write.catch(() => {}); // Whoever waits for it sees the error; nobody may, when an earlier one failed.
      writes.push(write);
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
  const reads: Promise<Buffer>[] = [];
  let position = start;
  for (;;) {
    for (; reads.length < IN_FLIGHT && position < end; position += REQUEST_SIZE) {
      const read = readBlock(connection, handle, position, Math.min(REQUEST_SIZE, end - position));
      read.catch(() => {}); // as above
      reads.push(read);
    }
    const next = reads.shift();
    if (!next) return;
    const block = await next;
    if (block.length > 0) yield block;
  }
}

export async function hashFile(connection: SftpConnection, handle: Buffer, size: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readChunks(connection, handle, 0, size)) hash.update(chunk);
  return hash.digest("hex");
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
