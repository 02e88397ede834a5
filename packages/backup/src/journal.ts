import { appendFile, open } from "node:fs/promises";
import { codeOf, type Segment, segmentSchema } from "@trivault/core";

/**
 * The journal of a backup in the making: one JSON line for each segment that lies whole in the local tier. The encrypt
 * stage appends, the copy stages follow. Each line is synced before the segment's plaintext is deleted.
 */
export async function appendJournal(file: string, segment: Segment): Promise<void> {
  // The leading line break ends a line that a crash left torn, so that this one stays readable.
  await appendFile(file, `\n${JSON.stringify(segment)}\n`, { mode: 0o600, flush: true });
}

/**
 * Notes what is about to be published, so that whoever finds it there knows what it is: a worker that was killed, or stopped,
 * between the segment and its journal line. Not synced: after a power failure the spool is gone, and the run with it.
 */
export async function noteSealing(file: string, segment: Segment): Promise<void> {
  await appendFile(file, `\n${JSON.stringify(segment)}\n`, { mode: 0o600 });
}

/** All that was ever about to be published under a name; each worker seals to other bytes. */
export async function readSealing(file: string, name: string): Promise<Segment[]> {
  const lines = ((await readFrom(file, 0)) ?? "").split("\n");
  const segments = lines.map(parseLine).filter((segment) => segment !== null);
  return segments.filter((segment) => segment.name === name);
}

export interface JournalReader {
  /** The segments journaled since the last call; null where there is no journal (not yet, or no longer). */
  read(): Promise<Segment[] | null>;
}

/**
 * Reads a journal as it grows, each byte once. A name may stand twice, as a worker that lost its lease may still append a
 * line: both say the same, for what lies under a name is never replaced (publish-segment.ts).
 */
export function journalReader(file: string): JournalReader {
  const seen = new Set<string>();
  let offset = 0;
  let rest = "";
  return {
    async read() {
      const text = await readFrom(file, offset);
      if (text === null) return null;
      offset += Buffer.byteLength(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      const segments: Segment[] = [];
      for (const segment of lines.map(parseLine)) {
        if (segment === null || seen.has(segment.name)) continue;
        seen.add(segment.name);
        segments.push(segment);
      }
      return segments;
    },
  };
}

/** Null for an empty line, and for one that a crash left torn. */
function parseLine(line: string): Segment | null {
  if (line === "") return null;
  try {
    return segmentSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** Journal lines are ASCII, so that bytes and characters are the same. */
async function readFrom(file: string, offset: number): Promise<string | null> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.alloc(Math.max(0, size - offset));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      return buffer.toString("latin1", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
