import { open } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "@trivault/core";
import type { AuditFilter, RecordedEvent } from "./event.ts";
import { listMonths, monthFile } from "./folder.ts";
import { readEvent } from "./line.ts";
import { matcher, placeOf } from "./query.ts";
import { endOfLines, linesOf } from "./read-lines.ts";

const LOOK_EVERY_MS = 500;

/** Events as they are written, from `filter.from` on, else from now on; ends when the signal does. */
export async function* followRecord(
  folder: string,
  filter: AuditFilter,
  signal: AbortSignal,
): AsyncGenerator<RecordedEvent> {
  const wanted = matcher(filter);
  let place = await startOf(folder, filter.from);
  while (!signal.aborted) {
    // Listed first: where there is a newer file, nothing more is added to this one.
    const months = listMonths(folder);
    const read = await readOn(folder, place);
    place = read.place;
    yield* read.events.filter(wanted);
    const newer = months.find((month) => month > place.file);
    if (read.more) continue;
    if (newer !== undefined) place = { file: newer, offset: 0 };
    else await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface Place {
  readonly file: string;
  readonly offset: number;
}

async function startOf(folder: string, from: Date | undefined): Promise<Place> {
  const months = listMonths(folder);
  const file = from ? months.find((month) => month >= monthFile(from.toISOString())) : months.at(-1);
  if (file === undefined) return { file: "", offset: 0 };
  const handle = await open(path.join(folder, file), "r");
  try {
    const { size } = await handle.stat();
    const offset = from ? (await placeOf(handle, size, from.getTime())).low : await endOfLines(handle, size);
    return { file, offset };
  } finally {
    await handle.close();
  }
}

/** At most one bunch of lines, so that a long audit log is not held whole. */
async function readOn(folder: string, place: Place): Promise<{ place: Place; events: RecordedEvent[]; more: boolean }> {
  const nothing = { place, events: [], more: false };
  if (place.file === "") return nothing;
  try {
    const handle = await open(path.join(folder, place.file), "r");
    try {
      const { size } = await handle.stat();
      // Cut off by somebody: what is written from here on is new.
      if (size < place.offset) return { ...nothing, place: { ...place, offset: size } };
      for await (const lines of linesOf(handle, place.offset, size)) {
        const last = lines.at(-1);
        if (last === undefined) continue;
        const events = lines.map(({ bytes }) => readEvent(bytes)).filter((event) => event !== null);
        return { place: { ...place, offset: last.end }, events, more: last.end < size };
      }
      return nothing;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return nothing;
    throw error;
  }
}
