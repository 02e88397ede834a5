import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "@trivault/core";
import type { RecordedEvent } from "./event.ts";
import { listMonths, monthFile } from "./folder.ts";
import { readEvent } from "./line.ts";
import { placeOf } from "./query.ts";
import { linesOf, readAt } from "./read-lines.ts";

/** Reads the audit log, and later what was added to it. One read at a time. */
export interface AuditReader {
  /** What was written since the last read, oldest first, in bunches. */
  read(): AsyncIterable<readonly RecordedEvent[]>;
  /**
   * What was read, without the month files that end before `from`. Null where that cannot be said, as the audit log is not what it
   * was when it was read.
   */
  mark(from: Date): ReadMark | null;
}

/**
 * The bytes that were read. Whoever keeps it beside what was made of the events finds out later (`resumeReader`) whether the audit
 * log still holds these very bytes.
 */
export interface ReadMark {
  /** ISO 8601: of what was written before nothing was asked for. */
  readonly since: string;
  /** Parts of month files, oldest first. */
  readonly parts: readonly {
    readonly file: string;
    readonly from: number;
    readonly to: number;
    readonly sha256: string;
  }[];
  /** The last event. */
  readonly last: { readonly at: string; readonly seq: number } | null;
}

interface Part {
  readonly file: string;
  readonly from: number;
  to: number;
  readonly hash: Hash;
  /** Its last bytes: the end of a line, and so of the line's hash. */
  tail: Buffer;
}

interface Known {
  readonly since: string;
  readonly parts: Part[];
  last: Pick<RecordedEvent, "at" | "seq"> | null;
}

const TAIL_BYTES = 75;
const NEWLINE = Buffer.from("\n");
const CHUNK = 1024 * 1024;

/** Begins at a time. */
export function openReader(folder: string, since: Date): AuditReader {
  return createReader(folder, { since: since.toISOString(), parts: [], last: null });
}

/** Goes on where another reader stood; null where the audit log does not hold, byte by byte, what that one has read. */
export async function resumeReader(
  folder: string,
  { since, parts: read, last }: ReadMark,
): Promise<AuditReader | null> {
  const newest = read.at(-1)?.file ?? "";
  const there = listMonths(folder).filter((month) => month >= monthFile(since) && month <= newest);
  if (there.length !== read.length || there.some((month, index) => month !== read[index]?.file)) return null;
  const parts: Part[] = [];
  for (const { file, from, to, sha256 } of read) {
    const part = await hashPart(folder, { file, from, to });
    if (part?.hash.copy().digest("hex") !== sha256) return null;
    parts.push(part);
  }
  return createReader(folder, { since, parts, last: last && { at: new Date(last.at), seq: last.seq } });
}

async function hashPart(folder: string, { file, from, to }: Pick<Part, "file" | "from" | "to">): Promise<Part | null> {
  const part = newPart(file, from, to);
  const handle = await openOrNull(path.join(folder, file));
  if (handle === null) return null;
  try {
    const buffer = Buffer.allocUnsafe(CHUNK); // one for all, as hundreds would have to be collected
    for (let position = from; position < to;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK, to - position), position);
      if (bytesRead === 0) return null;
      part.hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    part.tail = await readAt(handle, Math.max(from, to - TAIL_BYTES), Math.min(TAIL_BYTES, to - from));
    return part;
  } finally {
    await handle.close();
  }
}

function createReader(folder: string, known: Known): AuditReader {
  const { since, parts } = known;
  const start = Date.parse(since);
  let changed = false;

  const isNew = ({ at, seq }: RecordedEvent): boolean =>
    // An audit log that was begun anew counts from one again, later.
    at.getTime() >= start && (known.last === null || at > known.last.at || seq > known.last.seq);

  /** Where to read on in a month file; by the time of the last event where the file is another than it was. */
  const partOf = async (file: string, handle: FileHandle, size: number): Promise<Part> => {
    const before = parts.find((part) => part.file === file);
    if (before && (await holdsTail(handle, size, before))) return before;
    if (before) changed = true;
    const time = before ? (known.last?.at.getTime() ?? start) : start;
    const from = before || parts.length === 0 ? (await placeOf(handle, size, time)).low : 0;
    const part = newPart(file, from, from);
    parts.splice(before ? parts.indexOf(before) : parts.length, before ? 1 : 0, part);
    return part;
  };

  async function* readPart(file: string): AsyncGenerator<readonly RecordedEvent[]> {
    const handle = await openOrNull(path.join(folder, file));
    if (handle === null) return;
    try {
      const { size } = await handle.stat();
      const part = await partOf(file, handle, size);
      if (size === part.to) return;
      for await (const lines of linesOf(handle, part.to, size)) {
        const events: RecordedEvent[] = [];
        for (const { bytes } of lines) {
          part.hash.update(bytes).update(NEWLINE);
          const event = readEvent(bytes);
          if (event === null || !isNew(event)) continue;
          known.last = { at: event.at, seq: event.seq };
          events.push(event);
        }
        const last = lines.at(-1);
        if (last === undefined) continue;
        part.to = last.end;
        part.tail = Buffer.concat([last.bytes.subarray(1 - TAIL_BYTES), NEWLINE]);
        if (events.length > 0) yield events;
      }
    } finally {
      await handle.close();
    }
  }

  return {
    async *read() {
      // Listed first: where there is a newer file, nothing more is added to the one before it.
      const months = listMonths(folder);
      const current = parts.at(-1)?.file;
      if (current !== undefined && !months.includes(current)) changed = true;
      const first = current ?? monthFile(since);
      for (const month of months.filter((each) => each >= first)) yield* readPart(month);
    },
    mark(from) {
      if (changed || known.last === null) return null;
      const needed = parts.filter(({ file }) => file >= monthFile(from.toISOString()));
      return {
        since: needed.length === parts.length ? since : from.toISOString(),
        parts: needed.map(({ file, from: begin, to, hash }) => {
          return { file, from: begin, to, sha256: hash.copy().digest("hex") };
        }),
        last: { at: known.last.at.toISOString(), seq: known.last.seq },
      };
    },
  };
}

function newPart(file: string, from: number, to: number): Part {
  return { file, from, to, hash: createHash("sha256"), tail: Buffer.alloc(0) };
}

/** Whether the file still ends, or goes on, as it was read. */
async function holdsTail(handle: FileHandle, size: number, { to, tail }: Part): Promise<boolean> {
  return size >= to && (await readAt(handle, to - tail.length, tail.length)).equals(tail);
}

async function openOrNull(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
