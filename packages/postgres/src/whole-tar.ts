import { TrivaultError } from "@trivault/core";

const BLOCK = 512;

/**
 * Passes a tar archive on and throws CORRUPT where it does not come to its end: pg_restore takes one that is cut off for
 * whole, or reads on for ever. (pax/ustar: each member is a header block and its content, filled up to a block; a block of
 * zeros ends the archive.)
 */
export async function* wholeTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let header = Buffer.alloc(0);
  /** Bytes of the present member that are still to come. */
  let left = 0;
  let ended = false;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length && !ended;) {
      if (left > 0) {
        const skipped = Math.min(left, chunk.length - at);
        left -= skipped;
        at += skipped;
        continue;
      }
      const missing = BLOCK - header.length;
      header = Buffer.concat([header, chunk.subarray(at, at + missing)]);
      at += missing;
      if (header.length < BLOCK) break;
      ended = header.every((byte) => byte === 0);
      if (!ended) left = Math.ceil(sizeOf(header) / BLOCK) * BLOCK;
      header = Buffer.alloc(0);
    }
    yield chunk;
  }
  if (!ended) throw corrupt("it is cut off");
}

function sizeOf(header: Buffer): number {
  const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (sum !== octal(header.subarray(148, 156))) throw corrupt("the checksum of one of its headers is wrong");
  const field = header.subarray(124, 136);
  // Sizes of 8 GiB and more are binary, marked by the first bit.
  return (field[0] ?? 0) & 0x80 ? Number(field.readBigUInt64BE(4)) : octal(field);
}

function octal(field: Buffer): number {
  return Number.parseInt(field.toString("latin1").replaceAll(/[\0 ]/g, "") || "0", 8);
}

function corrupt(why: string): TrivaultError {
  return new TrivaultError("CORRUPT", `The tar archive is damaged: ${why}.`, { permanent: true });
}
