import { randomUUID } from "node:crypto";
import { link, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, isBackupId, newBackupId, publishJson, readJson, processExists, ensureFolder } from "@trivault/core";
import { z } from "zod";
import { readManifest } from "../copies.ts";
import { watchLease } from "../lease.ts";
import { removeRun, runDirectory } from "../run-directory.ts";
import type { BackupRef, Site } from "../site.ts";
import { giveUp } from "../give-up.ts";

/**
 * Which backup a plaintext dump became, by the SHA-256 of its file, so that it becomes one and not two:
 *
 *     <BACKUP_DIR>/.trivault/adopted/<sha256>.json
 *
 * It is written before the backup is begun. The backup exists if it has its manifest, like any other; a claim whose backup
 * has none is that of an adoption that runs, that was killed, or whose backup was deleted since.
 */
const claimSchema = z.object({
  database: z.string().min(1),
  backupId: z.string().refine(isBackupId),
  file: z.string(),
  /** The process that claims it. */
  owner: z.object({ host: z.string(), pid: z.int(), id: z.string() }),
});
type Claim = z.infer<typeof claimSchema>;

const OWNER = { host: hostname(), pid: process.pid, id: randomUUID() };

export interface Dump {
  readonly file: string;
  readonly sha256: string;
  readonly database: string;
  readonly time: Date;
}

/** The backup that a file of that content is already, or null. */
export async function adoptedAs(site: Site, sha256: string): Promise<BackupRef | null> {
  const found = await readClaim(site, sha256);
  return found && (await isBackup(site, found)) ? refOf(found) : null;
}

/** `adopted`: it is that backup already. `claimed`: it is ours to make. `busy`: another process makes it. */
export async function claim(
  site: Site,
  dump: Dump,
  signal: AbortSignal,
): Promise<{ readonly is: "adopted" | "claimed" | "busy"; readonly ref: BackupRef }> {
  const before = await readClaim(site, dump.sha256);
  if (before !== null) {
    const ref = refOf(before);
    if (await isBackup(site, ref)) return { is: "adopted", ref };
    if (await isAlive(site, before, signal)) return { is: "busy", ref };
    await giveUp(site, ref, "its adoption was cut short, and is begun anew");
    // Maintenance may have completed it in this very moment.
    if (await isBackup(site, ref)) return { is: "adopted", ref };
    await removeRun(runDirectory(site.config, ref.backupId));
    await rm(draftOf(site, dump.sha256, before.owner.id), { force: true });
  }
  const ref = { database: dump.database, backupId: newBackupId(dump.time) };
  const now = await write(site, dump.sha256, { ...ref, file: dump.file, owner: OWNER }, before !== null);
  return now?.backupId === ref.backupId ? { is: "claimed", ref } : { is: "busy", ref: now ? refOf(now) : ref };
}

/** Returns the claim that stands: where two write at once, both see which of them it is. */
async function write(site: Site, sha256: string, value: Claim, replace: boolean): Promise<Claim | null> {
  const file = claimFile(site, sha256);
  const mine = draftOf(site, sha256, OWNER.id);
  await ensureFolder(path.dirname(file));
  await publishJson(mine, value);
  try {
    if (!replace) await link(mine, file);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return await readClaim(site, sha256);
    replace = true; // a file system without links
  } finally {
    if (!replace) await rm(mine, { force: true });
  }
  if (replace) {
    // The last rename wins, and after a pause both know.
    await rename(mine, file);
    await sleep(200);
  }
  return readClaim(site, sha256);
}

/** Whether its owner still works on it. One of this host that is gone is seen at once, any other by its silent lease. */
async function isAlive(site: Site, { owner, backupId }: Claim, signal: AbortSignal): Promise<boolean> {
  if (owner.id === OWNER.id) return false;
  if (owner.host === OWNER.host && (owner.pid === OWNER.pid || !processExists(owner.pid))) return false;
  const lease = watchLease(runDirectory(site.config, backupId).dumpLease);
  const takeoverMs = site.config.worker.takeoverSeconds * 1000;
  for (let looks = 0; looks * 500 < 2 * takeoverMs; looks++) {
    if ((await lease.silentMs()) >= takeoverMs) return false;
    await sleep(500, undefined, { signal });
  }
  return true;
}

async function isBackup(site: Site, ref: BackupRef): Promise<boolean> {
  return (await readManifest(site.tiers[0], ref)) !== null;
}

/** One that cannot be read counts as none: at worst a file becomes two backups. */
function readClaim(site: Site, sha256: string): Promise<Claim | null> {
  return readJson(claimFile(site, sha256), claimSchema).catch(() => null);
}

function claimFile({ config }: Site, sha256: string): string {
  return path.join(config.backupDir, ".trivault/adopted", `${sha256}.json`);
}

function draftOf(site: Site, sha256: string, owner: string): string {
  return `${claimFile(site, sha256)}.${owner}`;
}

function refOf({ database, backupId }: BackupRef): BackupRef {
  return { database, backupId };
}
