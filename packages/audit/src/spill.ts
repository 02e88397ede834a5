import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { codeOf, ensureFolder, HOUR_MS } from "@trivault/core";
import { namesIn, syncFolder } from "./folder.ts";
import { readUnwritten, type Unwritten } from "./line.ts";

/**
 * Events that could not go to the chain (the lock was not to be had, an append failed) wait in files of their own:
 *
 *     spill/<host>-<pid>-<random>.jsonl           one bunch, written once and never changed
 *     spill/<host>-<pid>-<random>.<n>.merging     the same, and its events may stand in the chain from line n on
 *     spill/….unreadable                          damaged; `verify` reports it
 *
 * Whoever has the lock next appends them, at the latest the process that wrote them, which tries every few seconds. The
 * second name is taken before that, so that after a crash in between none is appended twice.
 */
export interface Spill {
  readonly name: string;
  /** The line from which on its events may stand in the chain already; null: they surely do not. */
  readonly mayStandFrom: number | null;
  readonly events: readonly Unwritten[];
}

/** Read at one go, so that a flood of them holds the lock for no longer. */
const AT_ONCE = 64;
const NAME = /^([\w.-]+?)(?:\.jsonl|\.(\d+)\.merging)$/;
const LEFT_OVER_MS = HOUR_MS;

export function spillFolder(folder: string): string {
  return path.join(folder, "spill");
}

/** When it comes back, the events are on the disk. */
export async function writeSpill(
  folder: string,
  events: readonly Unwritten[],
  mayStandFrom: number | null,
): Promise<void> {
  const directory = spillFolder(folder);
  await ensureFolder(directory);
  const stem = `${hostname().replaceAll(/[^\w-]/g, "_")}-${process.pid}-${randomUUID()}`;
  const temporary = path.join(directory, `${stem}.tmp`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(
      temporary,
      path.join(directory, mayStandFrom === null ? `${stem}.jsonl` : claimed(stem, mayStandFrom)),
    );
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(directory);
}

/** With the lock held: what waits, marked as being appended from line `next` on. */
export async function claimSpills(folder: string, next: number): Promise<Spill[]> {
  const directory = spillFolder(folder);
  const names = namesIn(directory);
  if (names.length === 0) return [];
  await Promise.all(names.filter((name) => name.endsWith(".tmp")).map((name) => removeLeftOver(directory, name)));
  const spills: Spill[] = [];
  for (const name of names.filter((each) => NAME.test(each)).slice(0, AT_ONCE)) {
    const events = await readSpill(path.join(directory, name));
    if (events === null) continue;
    const [, stem = "", since] = NAME.exec(name) ?? [];
    if (since === undefined) await rename(path.join(directory, name), path.join(directory, claimed(stem, next)));
    spills.push({
      name: since === undefined ? claimed(stem, next) : name,
      mayStandFrom: since === undefined ? null : Number(since),
      events,
    });
  }
  if (spills.length > 0) await syncFolder(directory);
  return spills;
}

export async function removeSpills(folder: string, spills: readonly Spill[]): Promise<void> {
  for (const { name } of spills) await rm(path.join(spillFolder(folder), name), { force: true });
  if (spills.length > 0) await syncFolder(spillFolder(folder));
}

/** Names of the files that wait, and of those that nobody can read. */
export function listSpills(folder: string): { waiting: string[]; unreadable: string[] } {
  const names = namesIn(spillFolder(folder));
  return {
    waiting: names.filter((name) => NAME.test(name)),
    unreadable: names.filter((name) => name.endsWith(".unreadable")),
  };
}

function claimed(stem: string, next: number): string {
  return `${stem}.${next}.merging`;
}

/** Null, and put aside, where a line of it is damaged: they were written whole, or not at all. */
async function readSpill(file: string): Promise<Unwritten[] | null> {
  const lines = (await readFile(file)).toString("utf8").split("\n").slice(0, -1);
  const events = lines.map((line) => readUnwritten(Buffer.from(line)));
  const good = events.filter((event) => event !== null);
  if (good.length === events.length) return good;
  await rename(file, `${file}.unreadable`);
  return null;
}

async function removeLeftOver(directory: string, name: string): Promise<void> {
  const file = path.join(directory, name);
  try {
    if (Date.now() - (await stat(file)).mtimeMs > LEFT_OVER_MS) await rm(file, { force: true });
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
