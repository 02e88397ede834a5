import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { TrivaultError } from "@trivault/core";

/** What shows whether a file is still the one that was looked at. */
export interface Identity {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly modifiedMs: number;
}

export async function identityOf(file: string): Promise<Identity> {
  const { dev, ino, size, mtimeMs } = await lstat(file);
  return { device: dev, inode: ino, size, modifiedMs: mtimeMs };
}

export async function isStill(file: string, before: Identity): Promise<boolean> {
  const now = await identityOf(file);
  return (Object.keys(now) as (keyof Identity)[]).every((key) => now[key] === before[key]);
}

/** The SHA-256 of the file as it is. */
export async function hashFile(file: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    onBytes(chunk.length);
  }
  return hash.digest("hex");
}

const TRAILER = /\n-- PostgreSQL database dump complete\r?\n/;

/**
 * Passes a plain SQL dump on, and throws CORRUPT unless it ends as pg_dump ends one that is whole: with that line, and
 * nothing but comments and \unrestrict after it.
 */
export async function* wholeScript(script: Readable): AsyncGenerator<Buffer> {
  let tail = "";
  for await (const chunk of script as AsyncIterable<Buffer>) {
    tail = (tail + chunk.subarray(-1024).toString("latin1")).slice(-1024);
    yield chunk;
  }
  const [, ...after] = tail.split(TRAILER);
  const last = after.at(-1)?.split("\n");
  if (last?.every((line) => /^(?:--.*|\\unrestrict .*)?\s*$/.test(line))) return;
  const message = "It does not end with the line `-- PostgreSQL database dump complete`: the dump was cut off.";
  throw new TrivaultError("CORRUPT", message, { permanent: true });
}
