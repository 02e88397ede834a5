import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import type { AuditFilter, RecordedEvent } from "./event.ts";
import { listMonths, monthFile } from "./folder.ts";
import { readEvent } from "./line.ts";
import { linesBackwards, linesOf } from "./read-lines.ts";

/**
 * Lines stand in the order of their times, so the place where a time begins is found by halving: what a query reads is its
 * own window, whatever the audit log's length.
 */
export async function* queryRecord(
  folder: string,
  filter: AuditFilter,
  order: "oldest-first" | "newest-first",
): AsyncGenerator<RecordedEvent> {
  const months = listMonths(folder).filter((month) => meets(month, filter));
  const wanted = matcher(filter);
  for (const month of order === "oldest-first" ? months : months.toReversed()) {
    const handle = await open(path.join(folder, month), "r");
    try {
      const { size } = await handle.stat();
      const begin = filter.from ? (await placeOf(handle, size, filter.from.getTime())).low : 0;
      const end = filter.to ? (await placeOf(handle, size, filter.to.getTime() + 1)).high : size;
      const bunches = order === "oldest-first" ? linesOf(handle, begin, end) : linesBackwards(handle, end, begin);
      for await (const lines of bunches) {
        for (const { bytes } of lines) {
          const event = readEvent(bytes);
          if (event !== null && wanted(event)) yield event;
        }
      }
    } finally {
      await handle.close();
    }
  }
}

/** Whether an event is asked for, its time included. */
export function matcher(filter: AuditFilter): (event: RecordedEvent) => boolean {
  const { from, to, actor, database, backupId, tier, action, outcome } = filter;
  const actions = action === undefined ? null : new Set(typeof action === "string" ? [action] : action);
  return (event) =>
    (from === undefined || event.at >= from) &&
    (to === undefined || event.at <= to) &&
    (actor === undefined || event.actor === actor) &&
    (database === undefined || event.database === database) &&
    (backupId === undefined || event.backupId === backupId) &&
    (tier === undefined || event.tier === tier) &&
    (actions === null || actions.has(event.action)) &&
    (outcome === undefined || event.outcome === outcome);
}

function meets(month: string, { from, to }: AuditFilter): boolean {
  return (!from || month >= monthFile(from.toISOString())) && (!to || month <= monthFile(to.toISOString()));
}

const NEAR = 64 * 1024;

/** Where the first line that is not before this time begins: somewhere from `low` to `high`, each the beginning of a line. */
export async function placeOf(handle: FileHandle, size: number, time: number): Promise<{ low: number; high: number }> {
  const place = { low: 0, high: size };
  for (let end = size; end - place.low > NEAR;) {
    const middle = Math.floor((place.low + end) / 2);
    const line = await firstEventBehind(handle, middle, end);
    if (line !== null && line.at < time) place.low = line.offset;
    else {
      end = middle;
      if (line !== null) place.high = line.offset;
    }
  }
  return place;
}

/** Looking begins in the middle of a line: that one is passed over. */
async function firstEventBehind(handle: FileHandle, middle: number, high: number) {
  let first = true;
  for await (const lines of linesOf(handle, middle, high, 16 * 1024)) {
    for (const { bytes, offset } of lines) {
      const event = first ? null : readEvent(bytes);
      first = false;
      if (event !== null) return { offset, at: event.at.getTime() };
    }
  }
  return null;
}
