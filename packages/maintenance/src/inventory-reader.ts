import { stat } from "node:fs/promises";
import { readNotes } from "@trivault/backup";
import { codeOf, type Config } from "@trivault/core";
import { type HeldCopy, type Holdings, holdingsOf, sameOr } from "./holdings.ts";
import { applyNotes, cacheFile, type Notes, readHeld } from "./inventory-cache.ts";

/** Reads one tier's inventory again and again: the cache only when its file is another, and each time what came since. */
export interface InventoryReader {
  /** Null where there is none that can be used. */
  read(): Promise<Holdings | null>;
}

/** One file at a time: while it is read, a large one takes many times its size. */
let reading: Promise<void> = Promise.resolve();

export function createInventoryReader(config: Pick<Config, "backupDir" | "tiers">, tier: string): InventoryReader {
  let file = "";
  /** As in the file. */
  let scanned: Holdings | null = null;
  let latest: Holdings | null = null;
  const readFile = async () => {
    const identity = await identityOf(cacheFile(config, tier));
    if (identity === file) return;
    // Its identity is taken before it is read: where it was replaced meanwhile, it is read once more.
    const read = async () => {
      const held = identity === "" ? null : await readHeld(config, tier);
      scanned = held && holdingsOf(held, scanned);
    };
    await (reading = reading.then(read, read));
    file = identity;
  };
  return {
    async read() {
      // Before the cache: a scan takes notes away once they are in the cache.
      const [arrived, deleted, damaged] = await Promise.all([
        readNotes(config, tier, "arrived"),
        readNotes(config, tier, "deleted"),
        readNotes(config, tier, "damaged"),
      ]);
      await readFile();
      latest = scanned && withNotes(scanned, { arrived, deleted, damaged }, latest);
      return latest;
    },
  };
}

function withNotes(scanned: Holdings, notes: Notes, before: Holdings | null): Holdings {
  const touched = new Set([...notes.arrived, ...notes.deleted, ...notes.damaged].map(({ database }) => database));
  if (touched.size === 0) return scanned;
  const copies = new Map(scanned.copies);
  for (const name of touched) {
    const own = new Map((scanned.copies.get(name) ?? []).map((copy): [string, HeldCopy] => [copy.backupId, copy]));
    const of = (all: Notes["arrived"]) => all.filter(({ database }) => database === name);
    const mine = { arrived: of(notes.arrived), deleted: of(notes.deleted), damaged: of(notes.damaged) };
    applyNotes(own, mine, { scannedAt: scanned.scannedAt, nameOf: ({ backupId }) => backupId });
    copies.set(name, sameOr(before?.copies.get(name), [...own.values()]));
  }
  return { ...scanned, copies };
}

/** Of the file as it lies there; empty where there is none. */
async function identityOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}
