import { stat } from "node:fs/promises";
import { codeOf } from "@trivault/core";
import { abortedReason, listRuns, readDumped, readRun, runDirectory } from "./run-directory.ts";
import type { Site } from "./site.ts";

export interface RunOfSlot {
  readonly backupId: string;
  /** Whether its dump is whole, so that only sealing and copying are left. */
  readonly dumped: boolean;
}

/**
 * The run that is being made for a slot, other than `except`, if there is one: the queue may have forgotten it, for a Redis
 * that is wiped does not stop a dump. A run that was given up or whose worker is dead does not count.
 */
export async function findRunOfSlot(
  { config }: Pick<Site, "config">,
  slot: { readonly database: string; readonly slot: string },
  except: string | undefined,
): Promise<RunOfSlot | null> {
  for (const backupId of await listRuns(config)) {
    if (backupId === except) continue;
    const run = runDirectory(config, backupId);
    const made = await readRun(run);
    if (made?.slot !== slot.slot || made.database !== slot.database || (await abortedReason(run)) !== null) continue;
    const dumped = (await readDumped(run)) !== null;
    if (dumped || (await ageOf([run.path, run.dumpLease])) < 3000 * config.worker.takeoverSeconds) {
      return { backupId, dumped };
    }
  }
  return null;
}

/** By the files' own clock, as maintenance does: nothing hurries here. */
async function ageOf(files: readonly string[]): Promise<number> {
  const times = await Promise.all(files.map(modifiedAt));
  return Date.now() - Math.max(...times);
}

async function modifiedAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
