import { readManifest } from "./copies.ts";
import { databaseOfRun, markAborted, readDumped, runDirectory } from "./run-directory.ts";
import type { BackupRef, Site } from "./site.ts";

/**
 * Before a dump is tried again: what became of the attempt before? `dumped` means that it is through, although its worker
 * died before it could say so; nothing needs to be dumped again. Otherwise it is fenced off: a worker that was only asleep
 * can never complete it.
 */
export async function settlePrevious(site: Site, previous: BackupRef): Promise<"dumped" | "fenced"> {
  const run = runDirectory(site.config, previous.backupId);
  if (await readManifest(site.tiers[0], previous)) return "dumped";
  if ((await databaseOfRun(run)) === null) return "fenced";
  if (await readDumped(run)) return "dumped";
  await markAborted(run, "its worker was silent for too long; the dump is made again");
  return "fenced";
}
