import { rm, stat } from "node:fs/promises";
import path from "node:path";
import { codeOf, isBackupId, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { type Copy, listCopies, readManifest, removePartial } from "./copies.ts";
import {
  abortedReason,
  databaseOfRun,
  listRuns,
  markAborted,
  readDumped,
  readdirOrEmpty,
  removeRun,
  type RunDirectory,
  runDirectory,
} from "./run-directory.ts";
import type { Site, StageContext } from "./site.ts";

/** Remains without an owner are left alone for so long: whoever still writes them is then surely dead. */
const ORPHAN_AGE_MS = 24 * 3_600_000;

export interface MaintenanceResult {
  readonly runsEnded: number;
  readonly orphansRemoved: number;
  readonly copiesStarted: number;
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
}

/**
 * Puts a site in order from what truly lies there, with nothing but the files to go by: ends runs whose workers died (or
 * goes on with them, where the dump is whole), removes what never became a backup, and starts a copy for each complete local backup that another tier lacks. Idempotent.
 */
export async function maintenanceStage(site: Site, context: StageContext): Promise<MaintenanceResult> {
  const runs = await tidyRuns(site, context);
  let orphansRemoved = runs.removed + (await sweepSpool(site));
  let copiesStarted = 0;
  const unreachable: { tier: string; reason: string }[] = [];
  const [local, ...others] = site.tiers;
  const here = await listCopies(local, undefined, context.signal);
  orphansRemoved += await sweepTier(local, here, site, context);
  const complete = here.filter((copy) => copy.complete);
  for (const tier of others) {
    try {
      const there = await listCopies(tier, undefined, context.signal);
      const held = new Set(there.filter((copy) => copy.complete).map((copy) => copy.backupId));
      for (const { database, backupId } of complete.filter((copy) => !held.has(copy.backupId))) {
        await context.start({ stage: "copy", database, backupId, from: local.name, to: tier.name });
        copiesStarted++;
      }
      const wanted = new Set(complete.map((copy) => copy.backupId));
      orphansRemoved += await sweepTier(
        tier,
        there.filter((copy) => !wanted.has(copy.backupId)),
        site,
        context,
      );
    } catch (error) {
      context.signal.throwIfAborted();
      unreachable.push({ tier: tier.name, reason: messageOf(error) });
      context.note(`${tier.name} could not be looked at: ${messageOf(error)}`);
    }
  }
  context.note(`${copiesStarted} copies started, ${orphansRemoved} remains removed`);
  return { runsEnded: runs.ended, orphansRemoved, copiesStarted, unreachable };
}

async function tidyRuns(site: Site, context: StageContext): Promise<{ ended: number; removed: number }> {
  let ended = 0;
  let removed = 0;
  for (const backupId of await listRuns(site.config)) {
    const run = runDirectory(site.config, backupId);
    const database = await databaseOfRun(run);
    if (database === null || (await readManifest(site.tiers[0], { database, backupId }, context.signal))) {
      if (await isSilent(run, site)) await removeRun(run);
      continue;
    }
    if ((await abortedReason(run)) === null) {
      if (!(await isSilent(run, site))) continue;
      if (await readDumped(run)) {
        // The dump is whole; only the worker that sealed it died. Its job may be lost, but nothing else is.
        await context.start({ stage: "encrypt", database, backupId });
        continue;
      }
      await markAborted(run, "its workers died");
      ended++;
    }
    removed += await removeEverywhere(site, run, { database, backupId }, context);
  }
  return { ended, removed };
}

/** The run directory goes last, and only if every tier could be cleaned: it is what remembers that this is to be done. */
async function removeEverywhere(
  site: Site,
  run: RunDirectory,
  ref: { database: string; backupId: string },
  context: StageContext,
): Promise<number> {
  let removed = 0;
  await rm(run.spool, { recursive: true, force: true }); // plaintext goes at once
  try {
    for (const tier of site.tiers) removed += (await removePartial(tier, ref, context.signal)) > 0 ? 1 : 0;
    if (await isSilent(run, site)) await removeRun(run);
  } catch (error) {
    context.signal.throwIfAborted();
    context.note(`what ${ref.backupId} left could not be removed yet: ${messageOf(error)}`);
  }
  return removed;
}

/** No lease was renewed for several take-over times: by the files' own clock, generously, as nothing hurries here. */
async function isSilent(run: RunDirectory, site: Site): Promise<boolean> {
  const limit = 3 * site.config.worker.takeoverSeconds * 1000;
  const times = await Promise.all([run.path, run.dumpLease, run.sealLease, run.journal].map(modifiedAt));
  return Date.now() - Math.max(...times) > limit;
}

/** Spool folders whose run is gone: plaintext that nobody will ever fetch. */
async function sweepSpool(site: Site): Promise<number> {
  const runs = new Set(await listRuns(site.config));
  let removed = 0;
  for (const name of (await readdirOrEmpty(site.config.spoolDir)).filter(isBackupId)) {
    const folder = path.join(site.config.spoolDir, name);
    if (runs.has(name) || Date.now() - (await modifiedAt(folder)) < ORPHAN_AGE_MS) continue;
    await rm(folder, { recursive: true, force: true });
    removed++;
  }
  return removed;
}

async function sweepTier(tier: Tier, copies: readonly Copy[], site: Site, context: StageContext): Promise<number> {
  const running = new Set(await listRuns(site.config));
  let removed = await tier.store.sweep("", ORPHAN_AGE_MS, { signal: context.signal });
  for (const copy of copies) {
    if (copy.complete || running.has(copy.backupId) || Date.now() - copy.newestAt.getTime() < ORPHAN_AGE_MS) continue;
    await removePartial(tier, copy, context.signal);
    removed++;
  }
  return removed;
}

async function modifiedAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0;
    throw error;
  }
}
