import { closeSync, fstatSync, fsync, ftruncateSync, openSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { messageOf } from "@trivault/core";
import { listMonths, monthFile, syncFolder } from "./folder.ts";
import { publishHead } from "./head.ts";
import { type Link, readEvent, type Unwritten, writeLine } from "./line.ts";
import { linesBackwards } from "./read-lines.ts";

/** The append failed, and yet some of the lines may stand in the file, from number `from` on. */
export class AppendError extends Error {
  readonly from: number;

  constructor(from: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.name = "AppendError";
    this.from = from;
  }
}

/** Appends to the chain, with the lock held. When it comes back, all lines are on the disk. */
export async function appendLines(folder: string, after: Link, events: readonly Unwritten[], now: Date): Promise<Link> {
  if (events.length === 0) return after;
  const time = now.toISOString();
  const at = time > after.at ? time : after.at;
  let last = after;
  const texts = events.map((event) => {
    const line = writeLine(event, last, at);
    last = line.link;
    return line.text;
  });
  const file = monthFile(at);
  const size = await write(folder, file, texts.join("")).catch((error: unknown) => {
    throw new AppendError(after.seq + 1, error);
  });
  await publishHead(folder, { ...last, file, size }).catch(() => undefined); // it may lag behind; the next one sets it right
  return last;
}

/** How long the file is afterwards. */
async function write(folder: string, name: string, text: string): Promise<number> {
  const file = openSync(path.join(folder, name), "a", 0o600);
  try {
    const before = fstatSync(file).size;
    try {
      writeFileSync(file, text);
      await promisify(fsync)(file);
    } catch (error) {
      cutBack(file, before);
      throw error;
    }
    if (before === 0) await syncFolder(folder);
    return before + Buffer.byteLength(text);
  } finally {
    closeSync(file);
  }
}

/** A full disk took the first part of it. Where even this fails, whoever comes next heals the end. */
function cutBack(file: number, size: number): void {
  try {
    ftruncateSync(file, size);
  } catch {
    // `mayStandFrom` goes with the events
  }
}

/** The ids of the events in the lines from this number on. */
export async function idsFrom(folder: string, seq: number): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const month of listMonths(folder).toReversed()) {
    const handle = await open(path.join(folder, month), "r");
    try {
      for await (const lines of linesBackwards(handle, (await handle.stat()).size)) {
        for (const { bytes } of lines) {
          const event = readEvent(bytes);
          if (event === null) continue;
          if (event.seq < seq) return ids;
          ids.add(event.id);
        }
      }
    } finally {
      await handle.close();
    }
  }
  return ids;
}
