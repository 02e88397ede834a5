import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  type Config,
  codeOf,
  databaseOf,
  directoryOf,
  isBackupId,
  type Manifest,
  totalSize,
  publishJson,
  readJson,
  readdirOrEmpty,
  ensureFolder,
  unlessUnwritable,
} from "@trivault/core";
import { z } from "zod";
import type { BackupRef } from "./site.ts";

/**
 * What the site knows of a tier beyond its last listing, so that whoever reads the cached inventory is not behind:
 *
 *     <BACKUP_DIR>/.trivault/tiers/<tier>/
 *       arrived/<database directory>.<backup id>   a copy was completed since
 *       deleted/…                                  a copy was deleted by us since, or is about to be
 *       damaged/…                                  a reader found bytes that differ from the manifest
 *       doubtful/…                                 segments that changed, or could not be read, are still to be verified
 *       usage.json                                 the bytes on it when it was listed
 *
 * A file for each note, so that any number of workers write them without a lock. A scan takes away the notes that it
 * found at its beginning; those of damage and of doubt stay until the copy is made good or verified. All of it may be
 * deleted at any time.
 */
export type NoteKind = "arrived" | "deleted" | "damaged" | "doubtful";

export interface TierNote extends BackupRef {
  /** As they lie there; 0 unless a copy arrived. */
  readonly bytes: number;
  readonly objects: number;
  readonly problem: string | null;
  /** For doubt: the segments that could not be read. */
  readonly files: readonly string[];
  /** For doubt: the marks (inventory-listing.ts) of the objects that were verified since; null: none were. */
  readonly seen: string | null;
}

const noteSchema = z.object({
  bytes: z.int().nonnegative().default(0),
  objects: z.int().nonnegative().default(0),
  problem: z.string().nullable().default(null),
  files: z.array(z.string()).default([]),
  seen: z.string().nullable().default(null),
});
const usageSchema = z.object({ bytes: z.int().nonnegative() });
type Place = Pick<Config, "backupDir">;

/** Where the site keeps what it knows of a tier. */
export function tierFolder({ backupDir }: Place, tier: string): string {
  return path.join(backupDir, ".trivault/tiers", directoryOf(tier));
}

export async function noteArrival(config: Place, tier: string, manifest: Manifest): Promise<void> {
  const ref = { database: manifest.database, backupId: manifest.id };
  for (const kind of ["damaged", "doubtful", "deleted"] as const) await removeNotes(config, tier, kind, [ref]);
  await write(config, tier, "arrived", ref, { bytes: totalSize(manifest), objects: manifest.segments.length + 1 });
}

/**
 * Before a copy is deleted: should this be cut short, the next scan finds the copy all the same. False where the disk does not
 * take it: then the next scan would call the copy lost.
 */
export async function noteDeletion(config: Place, tier: string, ref: BackupRef): Promise<boolean> {
  await removeNotes(config, tier, "arrived", [ref]);
  return write(config, tier, "deleted", ref, {});
}

/** The copy counts as damaged from now on, and maintenance makes it anew from another tier. */
export async function noteDamage(config: Place, tier: string, ref: BackupRef, problem: string): Promise<void> {
  await write(config, tier, "damaged", ref, { problem });
}

/** What is known of segments that changed or could not be read; with a problem, nothing is known of the copy meanwhile. */
export async function noteDoubt(
  config: Place,
  tier: string,
  ref: BackupRef,
  doubt: Pick<TierNote, "problem" | "files" | "seen">,
): Promise<void> {
  await write(config, tier, "doubtful", ref, doubt);
}

export async function readNotes(config: Place, tier: string, kind: NoteKind): Promise<TierNote[]> {
  const folder = path.join(tierFolder(config, tier), kind);
  const notes = await Promise.all(
    (await readdirOrEmpty(folder)).map(async (name): Promise<TierNote | null> => {
      const dot = name.lastIndexOf(".");
      const database = databaseOf(name.slice(0, dot));
      const backupId = name.slice(dot + 1);
      const note = database !== null && isBackupId(backupId) ? await readNote(path.join(folder, name)) : null;
      return database === null || note === null ? null : { database, backupId, ...note };
    }),
  );
  return notes.filter((note) => note !== null);
}

export async function removeNotes(
  config: Place,
  tier: string,
  kind: NoteKind,
  refs: readonly BackupRef[],
): Promise<void> {
  for (const ref of refs) await unlessUnwritable(() => rm(noteFile(config, tier, kind, ref), { force: true }));
}

export async function writeUsage(config: Place, tier: string, bytes: number): Promise<void> {
  const folder = tierFolder(config, tier);
  await ensureFolder(folder);
  await publishJson(path.join(folder, "usage.json"), { bytes });
}

/** Bytes on a tier, by the last scan and what arrived since; null where it was never scanned. */
export async function readUsage(config: Place, tier: string): Promise<number | null> {
  const file = path.join(tierFolder(config, tier), "usage.json");
  const usage = await readJson(file, usageSchema).catch(() => null);
  if (usage === null) return null;
  const arrived = await readNotes(config, tier, "arrived");
  return arrived.reduce((sum, note) => sum + note.bytes, usage.bytes);
}

/** Not on a machine that only reads: there the first file would be the site's first trace. */
async function write(config: Place, tier: string, kind: NoteKind, ref: BackupRef, note: object): Promise<boolean> {
  if (!existsSync(path.join(config.backupDir, ".trivault"))) return true;
  const file = noteFile(config, tier, kind, ref);
  return unlessUnwritable(async () => {
    await ensureFolder(path.dirname(file));
    await writeFile(file, JSON.stringify(note), { mode: 0o600 });
  });
}

/** Null where a scan took it away meanwhile, or a crash left it torn: the next scan knows better. */
async function readNote(file: string): Promise<z.infer<typeof noteSchema> | null> {
  try {
    return noteSchema.safeParse(JSON.parse(await readFile(file, "utf8"))).data ?? null;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || error instanceof SyntaxError) return null;
    throw error;
  }
}

function noteFile(config: Place, tier: string, kind: NoteKind, { database, backupId }: BackupRef): string {
  return path.join(tierFolder(config, tier), kind, `${directoryOf(database)}.${backupId}`);
}
