import { stat } from "node:fs/promises";
import path from "node:path";
import { codeOf, readdirOrEmpty } from "@trivault/core";
import type { RunDirectory } from "./run-directory.ts";

/** Segments that may wait in the spool, complete; one more is being written. The dump pauses beyond that. */
export const MAX_WAITING_PARTS = 4;

const PART = /^part-(\d{6,})$/;

export interface SpoolState {
  /** Numbers of the parts that lie there, ascending; all but the last are complete, as `split` writes one after another. */
  readonly parts: readonly number[];
  /** Bytes of the last part so far; 0 where there is none. */
  readonly lastSize: number;
}

export async function readSpool(run: RunDirectory): Promise<SpoolState> {
  const parts = (await readdirOrEmpty(run.spool))
    .map((name) => PART.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .toSorted((a, b) => a - b);
  const last = parts.at(-1);
  return { parts, lastSize: last === undefined ? 0 : await sizeOf(partPath(run, last)) };
}

export function partPath(run: RunDirectory, number: number): string {
  return path.join(run.spool, `part-${String(number).padStart(6, "0")}`);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
