import { open } from "node:fs/promises";
import path from "node:path";
import { listMonths } from "./folder.ts";
import { type Head, readHead } from "./head.ts";
import { type Link, readLink } from "./line.ts";
import { linesBackwards } from "./read-lines.ts";

/** An end of the audit log as somebody outside its folder remembers it: what came before it cannot be cut off unnoticed. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
  /** Who remembers it, for a sentence: `this process`, `alerts/state.json`. */
  readonly where: string;
}

/**
 * The newest end of each record that was seen. In memory, so whoever may write to the folder cannot put it back: it lasts as
 * long as its process. What lasts longer are anchors in files (the alerts' state, the reports).
 */
export interface KnownHeads {
  get(folder: string): Anchor | null;
  /** Keeps it, if it is newer. */
  see(folder: string, anchor: Anchor): void;
}

export function createKnownHeads(): KnownHeads {
  const heads = new Map<string, Anchor>();
  return {
    get: (folder) => heads.get(path.resolve(folder)) ?? null,
    see(folder, anchor) {
      const before = heads.get(path.resolve(folder));
      if (before === undefined || anchor.seq > before.seq) heads.set(path.resolve(folder), anchor);
    },
  };
}

/** One for all who write to a record in this process: they come and go with each change of the configuration. */
export const OF_THIS_PROCESS = createKnownHeads();

/** Whether the audit log, which ends at `last`, still holds the line that is remembered. Reads back as far as that line. */
export async function holds(folder: string, last: Pick<Link, "seq" | "hash">, known: Anchor): Promise<boolean> {
  if (last.seq <= known.seq) return last.seq === known.seq && last.hash === known.hash;
  for (const month of listMonths(folder).toReversed()) {
    const handle = await open(path.join(folder, month), "r");
    try {
      for await (const lines of linesBackwards(handle, (await handle.stat()).size)) {
        for (const { bytes } of lines) {
          const link = readLink(bytes);
          if (link === null || link.seq > known.seq) continue;
          return link.seq === known.seq && link.hash === known.hash;
        }
      }
    } finally {
      await handle.close();
    }
  }
  return false;
}

/** As `head.json` says it; null where there is no event yet, or the file is none of ours. */
export function endOf(folder: string): Head | null {
  const head = readHead(folder);
  return typeof head === "string" || head.seq === 0 ? null : head;
}
