import { modifiedAt } from "@trivault/core";
import { abortedReason, listRuns, readDumped, readRun, runDirectory } from "./run-directory.ts";
import type { Site } from "./site.ts";

export interface SlotRun {
  readonly backupId: string;
  readonly database: string;
  readonly slot: Date;
  /** Whether its dump is whole, so that only sealing and copying are left. */
  readonly dumped: boolean;
}

/**
 * The runs that are being made for slots of a schedule. The queue may have forgotten them, for a Redis that is wiped does not
 * stop a dump. A run that was given up or whose worker is dead does not count, nor does one that cannot be read.
 */
export async function listSlotRuns(config: Site["config"]): Promise<SlotRun[]> {
  const runs = (await listRuns(config)).map(async (backupId): Promise<SlotRun | null> => {
    const run = runDirectory(config, backupId);
    const made = await readRun(run);
    if (made?.slot === undefined || (await abortedReason(run)) !== null) return null;
    const dumped = (await readDumped(run)) !== null;
    if (!dumped && (await ageOf([run.path, run.dumpLease])) > 3000 * config.worker.takeoverSeconds) return null;
    return { backupId, database: made.database, slot: new Date(made.slot), dumped };
  });
  // One that cannot be read serves no slot: a run too many does less harm than schedules that stand still.
  return (await Promise.all(runs.map((run) => run.catch(() => null)))).filter((run) => run !== null);
}

/** By the files' own clock, as maintenance does: nothing hurries here. */
async function ageOf(files: readonly string[]): Promise<number> {
  const times = await Promise.all(files.map(modifiedAt));
  return Date.now() - Math.max(...times);
}
