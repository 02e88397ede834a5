import type { Config } from "@trivault/core";
import { type HeldCopy, type Holdings, holdingsOf, sameOr } from "./holdings.ts";
import { applyNotes, cacheIdentity, NOTE_KINDS, type Notes, readAllNotes, readHeld } from "./cache.ts";

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
    const identity = await cacheIdentity(config, tier);
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
      const notes = await readAllNotes(config, tier);
      await readFile();
      latest = scanned && withNotes(scanned, notes, latest);
      return latest;
    },
  };
}

function withNotes(scanned: Holdings, notes: Notes, before: Holdings | null): Holdings {
  const touched = new Set(NOTE_KINDS.flatMap((kind) => notes[kind]).map(({ database }) => database));
  if (touched.size === 0) return scanned;
  const copies = new Map(scanned.copies);
  for (const name of touched) {
    const own = new Map((scanned.copies.get(name) ?? []).map((copy): [string, HeldCopy] => [copy.backupId, copy]));
    const of = (all: Notes["arrived"]) => all.filter(({ database }) => database === name);
    const mine = {
      arrived: of(notes.arrived),
      deleted: of(notes.deleted),
      damaged: of(notes.damaged),
      doubtful: of(notes.doubtful),
    };
    applyNotes(own, mine, { scannedAt: scanned.scannedAt, nameOf: ({ backupId }) => backupId });
    copies.set(name, sameOr(before?.copies.get(name), [...own.values()]));
  }
  return { ...scanned, copies };
}
