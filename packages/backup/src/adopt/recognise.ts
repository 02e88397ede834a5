import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { messageOf } from "@trivault/core";

/** What pg_dump wrote, as its `--format` calls it. */
export type DumpFormat = "custom" | "tar" | "plain";
export type Compression = "gzip" | "zstd" | null;

export type Recognised =
  | { readonly is: "dump"; readonly format: DumpFormat; readonly compression: Compression; readonly head: string }
  /** A backup in plaintext, and not one that can be adopted. */
  | { readonly is: "refused"; readonly reason: string }
  | { readonly is: "foreign"; readonly reason: string };

/** Enough for pg_dump's header and, with `--create`, for what names the database. */
const HEAD = 16 * 1024;

/** After nothing but comments, which some put before it. */
const OPENING = /^\uFEFF?(?:\s|--(?! PostgreSQL database )[^\n]*\n)*-- PostgreSQL database (cluster )?dump\r?\n/;

const DIRECTORY =
  "is (part of) a dump in pg_dump's directory format; `pg_restore --file=NAME.sql FOLDER` turns the folder into plain SQL, " +
  "which can be adopted. Then delete the folder";

/** Recognises a file by its first bytes; its name says nothing. */
export async function recognise(file: string): Promise<Recognised> {
  const raw = await headOf(createReadStream(file, { end: HEAD - 1 }));
  const compression = compressionOf(raw);
  if (compression === null) return recogniseBytes(raw, null);
  try {
    return recogniseBytes(await headOf(decompress(createReadStream(file), compression)), compression);
  } catch (error) {
    return { is: "refused", reason: `is damaged: ${compression} says ${JSON.stringify(messageOf(error))}` };
  }
}

/** A dump's own bytes. A file that is cut off or damaged inside its compression fails at the end at the latest. */
export function decompressed(file: string, compression: Compression): Readable {
  const raw = createReadStream(file);
  return compression === null ? raw : decompress(raw, compression);
}

function decompress(raw: Readable, compression: "gzip" | "zstd"): Readable {
  const plain = compression === "gzip" ? createGunzip() : createZstdDecompress();
  raw.on("error", (error) => plain.destroy(error));
  plain.on("close", () => raw.destroy());
  return raw.pipe(plain);
}

async function headOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= HEAD) break;
  }
  return Buffer.concat(chunks);
}

function compressionOf(head: Buffer): Compression {
  if (head.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return "gzip";
  return head.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) ? "zstd" : null;
}

function recogniseBytes(head: Buffer, compression: Compression): Recognised {
  const text = head.toString("latin1");
  const dump = (format: DumpFormat): Recognised => ({ is: "dump", format, compression, head: head.toString("utf8") });
  if (text.startsWith("PGDMP")) {
    // Version (3 bytes), sizes of int and offset, format: 1 custom, 3 tar, 5 directory (pg_backup.h).
    return head[10] === 1 ? dump("custom") : { is: "refused", reason: DIRECTORY };
  }
  if (text.startsWith("ustar", 257)) {
    if (text.startsWith("toc.dat\0") && text.startsWith("PGDMP", 512)) return dump("tar");
    if (/\/toc\.dat\0/.test(text)) return { is: "refused", reason: `${DIRECTORY}; unpack it first` };
    return { is: "foreign", reason: "is a tar archive that pg_dump did not write" };
  }
  if (text.startsWith("age-encryption.org/") || text.startsWith("-----BEGIN AGE ENCRYPTED FILE-----")) {
    return { is: "foreign", reason: "is encrypted with age already" };
  }
  if (head.length === 0) return { is: "foreign", reason: "is empty" };
  const opening = OPENING.exec(head.toString("utf8"));
  if (opening?.[1] !== undefined) {
    const reason =
      "is a dump of a whole cluster (pg_dumpall): restore it into a server of its own and back up each database from there";
    return { is: "refused", reason };
  }
  return opening
    ? dump("plain")
    : { is: "foreign", reason: "is nothing that pg_dump wrote, as far as its content shows" };
}
