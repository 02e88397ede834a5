import { rm } from "node:fs/promises";
import {
  abortedReason,
  type BackupRef,
  databaseOfRun,
  listRuns,
  markAborted,
  readDumped,
  readManifest,
  removePartial,
  removeRun,
  type RunDirectory,
  runDirectory,
  type StageContext,
} from "@trivault/backup";
import { messageOf, modifiedAt } from "@trivault/core";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { sweepSpool } from "./sweep-spool.ts";

export interface Upkeep {
  readonly runsEnded: number;
  readonly remainsRemoved: number;
}

/**
 * Puts the site itself in order: ends runs whose workers died (or goes on with them, where the dump is whole), and removes
 * what they left, on every tier and in the spool. Ages of files are measured with the system's clock, which dates them,
 * and not with the site's.
 */
export async function keepSite(site: MaintenanceSite, context: StageContext): Promise<Upkeep> {
  const found = { runsEnded: 0, remainsRemoved: 0 };
  const down = new Set<string>();
  for (const backupId of await listRuns(site.config)) {
    try {
      const did = await keepRun(site, runDirectory(site.config, backupId), context, down);
      if (did.ended) found.runsEnded++;
      found.remainsRemoved += did.removed;
    } catch (error) {
      context.signal.throwIfAborted();
      context.note(`the run ${backupId} could not be looked after, and stays as it is: ${messageOf(error)}`);
    }
  }
  found.remainsRemoved += await sweepSpool(site, context);
  return found;
}

/** Throws where it is unknown how far the run came: then nothing of it is touched. */
async function keepRun(
  site: MaintenanceSite,
  run: RunDirectory,
  context: StageContext,
  down: Set<string>,
): Promise<{ readonly ended: boolean; readonly removed: number }> {
  const { backupId } = run;
  const { signal } = context;
  const database = await databaseOfRun(run);
  if (database === null || (await readManifest(site.tiers[0], { database, backupId }, { signal }))) {
    if (await isSilent(run, site)) await removeRun(run);
    return { ended: false, removed: 0 };
  }
  const wasAborted = (await abortedReason(run)) !== null;
  if (!wasAborted) {
    if (!(await isSilent(run, site))) return { ended: false, removed: 0 };
    if (await readDumped(run)) {
      // The dump is whole; only the worker that sealed it died. Its job may be lost, but nothing else is.
      await context.start({ stage: "encrypt", database, backupId });
      return { ended: false, removed: 0 };
    }
    await markAborted(run, "its workers died");
  }
  const removed = await removeEverywhere(site, run, { database, backupId }, context, down);
  if (removed > 0) await recordSwept(site, "a run that was given up", { database, backupId });
  return { ended: !wasAborted, removed };
}

/** The run directory goes last, and only if every tier could be cleaned: it is what remembers that this is to be done. */
async function removeEverywhere(
  site: MaintenanceSite,
  run: RunDirectory,
  ref: BackupRef,
  context: StageContext,
  down: Set<string>,
): Promise<number> {
  await rm(run.spool, { recursive: true, force: true }); // plaintext goes at once
  let removed = 0;
  let clean = true;
  for (const tier of site.tiers) {
    try {
      // A tier that is down is asked once, and not for each of the runs that died.
      if (!down.has(tier.name)) removed += (await removePartial(tier, ref, context.signal)) > 0 ? 1 : 0;
    } catch (error) {
      context.signal.throwIfAborted();
      context.note(`what ${ref.backupId} left on ${tier.name} could not be removed yet: ${messageOf(error)}`);
      down.add(tier.name);
    }
    if (down.has(tier.name)) clean = false;
  }
  if (clean && (await isSilent(run, site))) await removeRun(run);
  return removed;
}

/** No lease was renewed for several take-over times: by the files' own clock, generously, as nothing hurries here. */
async function isSilent(run: RunDirectory, site: MaintenanceSite): Promise<boolean> {
  const limit = 3 * site.config.worker.takeoverSeconds * 1000;
  const times = await Promise.all([run.path, run.dumpLease, run.sealLease, run.journal].map(modifiedAt));
  return Date.now() - Math.max(...times) > limit;
}

async function recordSwept(site: MaintenanceSite, what: string, ref: BackupRef): Promise<void> {
  await site.record({ action: "tier.swept", outcome: "ok", actor: "maintenance", ...ref, details: { what } });
}
