import { open } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";

/**
 * JSON with a long list as its last member, each item on a line of its own. It is made and parsed some hundred items at a time,
 * with a turn of the event loop in between: a tier of very many copies must not keep leases from being renewed.
 */
const AT_A_TIME = 500;

export async function writeList(head: object, name: string, items: readonly unknown[]): Promise<string> {
  const start = `${JSON.stringify({ ...head, [name]: [] }).slice(0, -2)}\n`;
  const pieces: string[] = [];
  for (let from = 0; from < items.length; from += AT_A_TIME) {
    pieces.push(
      items
        .slice(from, from + AT_A_TIME)
        .map((item) => JSON.stringify(item))
        .join(",\n"),
    );
    await setImmediate();
  }
  return `${start}${pieces.join(",\n")}\n]}`;
}

/** All but the list, from the first line. */
export function parseHead(firstLine: string, name: string): Readonly<Record<string, unknown>> {
  const { [name]: _list, ...head } = JSON.parse(`${firstLine}]}`) as Record<string, unknown>;
  return head;
}

const MOST_OF_A_LINE = 16 * 1024;

/** With its line break; without one where it is longer than a head is. */
export async function readFirstLine(file: string): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_OF_A_LINE), 0, MOST_OF_A_LINE, 0);
    const end = buffer.subarray(0, bytesRead).indexOf("\n");
    return buffer.toString("utf8", 0, end === -1 ? bytesRead : end + 1);
  } finally {
    await handle.close();
  }
}

/**
 * What `writeList` wrote, with `check` applied to each piece of the list. Other JSON of the same form is parsed whole. Throws
 * SyntaxError, and whatever `check` throws.
 */
export async function parseList<T>(
  text: string,
  name: string,
  check: (items: readonly unknown[]) => readonly T[],
): Promise<{ readonly head: Readonly<Record<string, unknown>>; readonly items: T[] }> {
  const firstLine = text.slice(0, text.indexOf("\n") + 1);
  if (!firstLine.endsWith(`"${name}":[\n`)) {
    const { [name]: list, ...head } = JSON.parse(text) as Record<string, unknown>;
    return { head, items: [...check(Array.isArray(list) ? list : [list])] };
  }
  const head = parseHead(firstLine, name);
  const items: T[] = [];
  let at = firstLine.length;
  for (let ended = false; !ended; await setImmediate()) {
    const lines: string[] = [];
    while (lines.length < AT_A_TIME && !ended) {
      const end = text.indexOf("\n", at);
      if (end < 0) throw new SyntaxError("the list is cut off");
      lines.push(text.slice(at, end));
      at = end + 1;
      ended = text.startsWith("]}", at);
    }
    const piece = lines.join("");
    for (const item of check(JSON.parse(`[${ended ? piece : piece.replace(/,$/, "")}]`) as unknown[])) items.push(item);
  }
  return { head, items };
}
