import type { FileHandle } from "node:fs/promises";

/** A line of a file, without its line break. */
export interface Line {
  readonly bytes: Buffer;
  /** Where it begins in the file. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
}

const CHUNK = 256 * 1024;
/** Ours are far shorter; of what somebody else put there no more is held in memory. */
const MAX_LINE = 1024 * 1024;
const NEWLINE = 0x0a;

/** The lines of a part of a file in bunches, oldest first; what follows the last line break is no line. */
export async function* linesOf(
  handle: FileHandle,
  from: number,
  to: number,
  chunkSize = CHUNK,
): AsyncGenerator<readonly Line[]> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = from;
  for (let position = from; position < to;) {
    const chunk = await readAt(handle, position, Math.min(chunkSize, to - position));
    if (chunk.length === 0) return;
    const lines: Line[] = [];
    let begin = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, begin)) {
      const piece = chunk.subarray(begin, at);
      const end = position + at + 1;
      lines.push({ bytes: rest.length === 0 ? piece : Buffer.concat([rest, piece]), offset, end });
      rest = Buffer.alloc(0);
      offset = end;
      begin = at + 1;
    }
    if (rest.length < MAX_LINE) rest = Buffer.concat([rest, chunk.subarray(begin)]);
    position += chunk.length;
    yield lines;
  }
}

/** The same backwards: the last whole line first. A line begins at `from`. */
export async function* linesBackwards(handle: FileHandle, to: number, from = 0): AsyncGenerator<readonly Line[]> {
  let carry: Buffer = Buffer.alloc(0);
  for (let position = to; position > from;) {
    const length = Math.min(CHUNK, position - from);
    position -= length;
    const data = Buffer.concat([await readAt(handle, position, length), carry]);
    const first = position === from ? 0 : data.indexOf(NEWLINE) + 1;
    if (position > from && first === 0) {
      carry = data.subarray(-MAX_LINE);
      continue;
    }
    const lines: Line[] = [];
    for (let begin = first; ;) {
      const at = data.indexOf(NEWLINE, begin);
      if (at === -1) break;
      lines.push({ bytes: data.subarray(begin, at), offset: position + begin, end: position + at + 1 });
      begin = at + 1;
    }
    carry = data.subarray(0, first).subarray(-MAX_LINE);
    yield lines.toReversed();
  }
}

/** Behind the last line break. */
export async function endOfLines(handle: FileHandle, size: number): Promise<number> {
  for (let position = size; position > 0;) {
    const length = Math.min(64 * 1024, position);
    position -= length;
    const at = (await readAt(handle, position, length)).lastIndexOf("\n");
    if (at !== -1) return position + at + 1;
  }
  return 0;
}

export async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
