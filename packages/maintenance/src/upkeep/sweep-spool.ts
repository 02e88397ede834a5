import { lstat, rm, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { listRuns, type StageContext } from "@trivault/backup";
import { codeOf, type Config, isBackupId, messageOf, readdirOrEmpty, sha256Hex } from "@trivault/core";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { ORPHAN_AGE_MS } from "./sweep.ts";

/** Removes spool folders whose run is gone: plaintext that nobody will ever fetch. Also where earlier versions had the spool. */
export async function sweepSpool(site: MaintenanceSite, context: Pick<StageContext, "note">): Promise<number> {
  const removed = await sweepFolder(site, site.config.spoolDir, context);
  const former = await formerSpool(site.config, context);
  if (former === null) return removed;
  const more = await sweepFolder(site, former, context);
  // What is left there is a run's, or none of ours; rmdir's answer shows both.
  await rmdir(former).catch(() => context.note(`${former}, the spool of an earlier version, is not empty yet`));
  return removed + more;
}

async function sweepFolder(
  { config }: MaintenanceSite,
  spool: string,
  { note }: Pick<StageContext, "note">,
): Promise<number> {
  const runs = new Set(await listRuns(config));
  let removed = 0;
  for (const name of (await readdirOrEmpty(spool)).filter(isBackupId)) {
    const folder = path.join(spool, name);
    try {
      if (runs.has(name) || Date.now() - (await stat(folder)).mtimeMs < ORPHAN_AGE_MS) continue;
      await rm(folder, { recursive: true, force: true });
      removed++;
    } catch (error) {
      if (codeOf(error) !== "ENOENT") note(`plaintext that nobody needs is left in ${folder}: ${messageOf(error)}`);
    }
  }
  return removed;
}

/**
 * Earlier versions had it in memory under a name that anybody could take: only a real folder of our own user, closed to
 * others, is ours. Null where there is none.
 */
async function formerSpool(
  { backupDir, spoolMemory }: Pick<Config, "backupDir" | "spoolMemory">,
  { note }: Pick<StageContext, "note">,
): Promise<string | null> {
  if (spoolMemory === null) return null;
  const former = path.join(spoolMemory, `trivault-${sha256Hex(Buffer.from(backupDir)).slice(0, 12)}`);
  const found = await lstat(former).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return former;
  note(`${former} has the name that the spool of an earlier version had, and is not ours alone: nothing is done to it`);
  return null;
}
