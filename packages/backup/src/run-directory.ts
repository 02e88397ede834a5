import { rm } from "node:fs/promises";
import path from "node:path";
import {
  codeOf,
  ensureFolder,
  ensurePrivateFolder,
  isBackupId,
  TrivaultError,
  publishJson,
  readJson,
  readdirOrEmpty,
} from "@trivault/core";
import { z } from "zod";
import { nudge } from "./poll.ts";

/**
 * What a backup in the making keeps on the site, until its manifest is written:
 *
 *     <BACKUP_DIR>/.trivault/runs/<backup id>/
 *       run.json        which database this is, and for which slot of its schedule, where it was the schedule that asked
 *       dump.lease      renewed by the worker that dumps (lease.ts)
 *       dumped.json     written once, after every process of the dump exited with status 0
 *       seal.lease      renewed by the worker that encrypts
 *       sealing.ndjson  one line for each segment that is about to be published (journal.ts)
 *       journal.ndjson  one line for each segment published in the local tier, in order (journal.ts)
 *       aborted.json    the fence: no stage of this backup goes on, and it never gets a manifest
 *     <BACKUP_SPOOL_DIR>/<backup id>/
 *       part-000000 …   compressed plaintext, deleted as soon as it is sealed and journaled
 *       globals.zst, details.zst
 */
export interface RunDirectory {
  readonly backupId: string;
  readonly path: string;
  readonly spool: string;
  readonly dumpLease: string;
  readonly sealLease: string;
  readonly sealing: string;
  readonly journal: string;
}

const runSchema = z.object({ database: z.string().min(1), slot: z.iso.datetime().optional() });
const dumpedSchema = z.object({
  parts: z.int().positive(),
  lastPartSize: z.int().nonnegative(),
  startedAt: z.iso.datetime(),
  tools: z.record(z.string(), z.string()),
  server: z.object({ version: z.string(), major: z.int().positive() }),
  /** As in the manifest. */
  content: z.literal("sql").optional(),
  /** Names of further plaintext files in the spool, e.g. `globals.zst`. */
  extras: z.array(z.enum(["globals.zst", "details.zst"])),
});
const abortedSchema = z.object({ reason: z.string() });

export type Dumped = z.infer<typeof dumpedSchema>;
interface Folders {
  readonly backupDir: string;
  readonly spoolDir: string;
}

export function runDirectory(folders: Folders, backupId: string): RunDirectory {
  if (!isBackupId(backupId)) throw new RangeError(`not a backup id: ${JSON.stringify(backupId)}`);
  const directory = path.join(runsRoot(folders), backupId);
  return {
    backupId,
    path: directory,
    spool: path.join(folders.spoolDir, backupId),
    dumpLease: path.join(directory, "dump.lease"),
    sealLease: path.join(directory, "seal.lease"),
    sealing: path.join(directory, "sealing.ndjson"),
    journal: path.join(directory, "journal.ndjson"),
  };
}

export async function createRun(run: RunDirectory, database: string, slot?: string): Promise<void> {
  await ensureFolder(run.path);
  await ensurePrivateFolder(run.spool, "The spool of a backup (in BACKUP_SPOOL_DIR)");
  await publishJson(path.join(run.path, "run.json"), { database, slot });
}

/** Ids of all runs that lie on this site. */
export async function listRuns(folders: Folders): Promise<string[]> {
  return (await readdirOrEmpty(runsRoot(folders))).filter(isBackupId).toSorted();
}

export async function databaseOfRun(run: RunDirectory): Promise<string | null> {
  return (await readRun(run))?.database ?? null;
}

export function readRun(run: RunDirectory): Promise<z.infer<typeof runSchema> | null> {
  return readJson(path.join(run.path, "run.json"), runSchema);
}

export async function markDumped(run: RunDirectory, dumped: Dumped): Promise<void> {
  await publishJson(path.join(run.path, "dumped.json"), dumped);
  nudge(run);
}

export function readDumped(run: RunDirectory): Promise<Dumped | null> {
  return readJson(path.join(run.path, "dumped.json"), dumpedSchema);
}

/** Fences the run off. Idempotent; the first reason stays. */
export async function markAborted(run: RunDirectory, reason: string): Promise<void> {
  if ((await abortedReason(run)) !== null) return;
  try {
    await publishJson(path.join(run.path, "aborted.json"), { reason });
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error; // the run is gone altogether, which fences it as well
  }
}

/**
 * Fences the run off and takes its plaintext away, whatever else has failed. A disk that is full may not even take the mark:
 * then the run itself goes, which fences it as well. One that cannot be written at all takes no manifest either.
 */
export async function endRun(run: RunDirectory, reason: string): Promise<void> {
  await markAborted(run, reason).catch(() => rm(run.path, { recursive: true, force: true }).catch(() => undefined));
  await rm(run.spool, { recursive: true, force: true });
}

/** Why this run is not to go on, or null. */
export async function abortedReason(run: RunDirectory): Promise<string | null> {
  return (await readJson(path.join(run.path, "aborted.json"), abortedSchema))?.reason ?? null;
}

export async function throwIfAborted(run: RunDirectory): Promise<void> {
  const reason = await abortedReason(run);
  if (reason !== null) throw abandoned(reason);
}

export function abandoned(reason: string): TrivaultError {
  return new TrivaultError("ABANDONED", `This backup was given up: ${reason}`, { permanent: true });
}

/** Plaintext first: should this be cut short, what is left is only bookkeeping. */
export async function removeRun(run: RunDirectory): Promise<void> {
  await rm(run.spool, { recursive: true, force: true });
  await rm(run.path, { recursive: true, force: true });
}

function runsRoot(folders: Folders): string {
  return path.join(folders.backupDir, ".trivault/runs");
}
