import { readFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { type BackupRef } from "@trivault/backup/look";
import {
  codeOf,
  type Config,
  databaseOf,
  directoryOf,
  isBackupId,
  messageOf,
  publishJson,
  ensureFolder,
} from "@trivault/core";
import { z } from "zod";
import { loadGone } from "@trivault/site/gone";
import { readSeen, type Seen } from "./retention-state.ts";

/**
 * What people have said about backups, and which rules they know of (retention-state.ts):
 *
 *     <BACKUP_DIR>/.trivault/marks/
 *       keep/<backup id>.json                      no rule deletes this backup, on any tier
 *       accepted-size/<database directory>.json    from that backup on a smaller size is normal
 */
export interface Marks {
  /** By backup id. */
  readonly keep: ReadonlyMap<string, KeepMark>;
  /** By database: the first backup of the new size. */
  readonly acceptedFrom: ReadonlyMap<string, string>;
  /** By tier and database: under which rules deletions were last accepted, and what is to follow. */
  readonly rules: ReadonlyMap<string, Seen["databases"]>;
  /** Discovered databases that are gone from their servers: the last backups of them are not deleted by any rule. */
  readonly gone: ReadonlySet<string>;
  /** Marks that could not be read. While there is one, nothing may be deleted: it may be about anything. */
  readonly problems: readonly string[];
}

export interface KeepMark {
  readonly database: string;
  readonly reason: string;
  readonly actor: string;
  readonly at: Date;
}

const keepSchema = z.object({
  database: z.string().min(1),
  reason: z.string(),
  actor: z.string(),
  at: z.iso.datetime().transform((text) => new Date(text)),
});
const acceptedSchema = z.object({ backupId: z.string().refine(isBackupId) });

type Place = Pick<Config, "backupDir">;
type Site = Pick<Config, "backupDir" | "tiers">;

export async function loadMarks(config: Site): Promise<Marks> {
  const problems: string[] = [];
  const read = async <T>(kind: Kind, nameOf: (stem: string) => string | null, schema: z.ZodType<T>) => {
    const marks = new Map<string, T>();
    const folder = folderOf(config, kind);
    for (const file of await namesIn(folder, problems)) {
      const full = path.join(folder, file);
      try {
        const name = nameOf(file.slice(0, -".json".length));
        if (name === null) throw new Error("it is not called as a mark is");
        marks.set(name, schema.parse(JSON.parse(await readFile(full, "utf8"))));
      } catch (error) {
        if (codeOf(error) === "ENOENT") continue; // released in between
        const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
        problems.push(`The mark ${full} cannot be read (${why}), so nothing is deleted. Correct or remove that file.`);
      }
    }
    return marks;
  };
  const keep = await read("keep", (stem) => (isBackupId(stem) ? stem : null), keepSchema);
  const accepted = await read("accepted-size", databaseOf, acceptedSchema);
  const seen = config.tiers.map(async ({ name }) => [name, (await readSeen(config, name)).databases] as const);
  return {
    keep,
    acceptedFrom: new Map([...accepted].map(([name, { backupId }]) => [name, backupId])),
    rules: new Map(await Promise.all(seen)),
    gone: new Set((await loadGone(config)).map(({ name }) => name)),
    problems,
  };
}

/** Holds a backup on all tiers until it is released. Marking it again replaces the reason. */
export async function markKept(
  config: Place,
  { database, backupId }: BackupRef,
  mark: Omit<KeepMark, "database">,
): Promise<void> {
  await write(keepFile(config, backupId), { ...mark, database });
}

/** False where it was not marked. */
export async function releaseKept(config: Place, { backupId }: BackupRef): Promise<boolean> {
  try {
    await rm(keepFile(config, backupId));
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Backups of a database from this one on displace those before it, however small they are. */
export async function acceptSize(config: Place, database: string, backupId: string): Promise<void> {
  await write(path.join(folderOf(config, "accepted-size"), `${directoryOf(database)}.json`), { backupId });
}

type Kind = "keep" | "accepted-size";

function folderOf({ backupDir }: Place, kind: Kind): string {
  return path.join(backupDir, ".trivault/marks", kind);
}

function keepFile(config: Place, backupId: string): string {
  if (!isBackupId(backupId)) throw new RangeError(`not a backup id: ${JSON.stringify(backupId)}`);
  return path.join(folderOf(config, "keep"), `${backupId}.json`);
}

async function write(file: string, value: unknown): Promise<void> {
  await ensureFolder(path.dirname(file));
  await publishJson(file, value);
}

/** Temporary files of writers that died are no marks. */
async function namesIn(folder: string, problems: string[]): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(".json"));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") {
      problems.push(`The marks in ${folder} cannot be read (${messageOf(error)}), so nothing is deleted.`);
    }
    return [];
  }
}
