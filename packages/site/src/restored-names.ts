import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import {
  type Config,
  directoryOf,
  ensureFolder,
  publishJson,
  readdirOrEmpty,
  readJson,
  type ServerConfig,
} from "@trivault/core";
import { z } from "zod";

/**
 * Databases that Trivault itself restored into. Discovery leaves them out until somebody includes them by their exact name,
 * as a copy that was made to look into needs no backups of its own:
 *
 *     <BACKUP_DIR>/.trivault/restored/<database directory>.<oid>.json
 *
 * The object id distinguishes a database from a later one of the same name, on whatever server and under whatever address.
 */
const noteSchema = z.object({
  name: z.string().min(1),
  oid: z.int().nonnegative(),
  /** The database whose backup it was. */
  source: z.string(),
  backupId: z.string(),
  at: z.iso.datetime(),
});
export type RestoredNote = Readonly<z.infer<typeof noteSchema>>;

type Place = Pick<Config, "backupDir">;

/** One that cannot be read leaves nothing out: a database that is backed up without need does less harm than the reverse. */
export async function loadRestored(config: Place): Promise<RestoredNote[]> {
  const folder = folderOf(config);
  const names = (await readdirOrEmpty(folder)).filter((name) => name.endsWith(".json"));
  const read = names.map((name) => readJson(path.join(folder, name), noteSchema).catch(() => null));
  return (await Promise.all(read)).filter((note) => note !== null);
}

/**
 * Notes what a restore goes into. Not a database that comes back under its own name, as after a disaster: that one is
 * backed up again; and not on a machine that only reads, where this would be the site's first trace.
 */
export async function noteRestored(config: Place, note: RestoredNote): Promise<void> {
  const own = note.source.slice(note.source.indexOf(".") + 1);
  if (note.name === note.source || note.name === own) return;
  if (!existsSync(path.join(config.backupDir, ".trivault"))) return;
  const file = fileOf(config, note);
  await ensureFolder(path.dirname(file));
  await publishJson(file, note);
}

export async function forgetRestored(config: Place, note: RestoredNote): Promise<void> {
  await rm(fileOf(config, note), { force: true });
}

/** Whether a server names a database itself, and not by a pattern. */
export function isNamed({ include }: Pick<ServerConfig, "include">, database: string): boolean {
  return include.includes(database) && !/[*?]/.test(database);
}

function folderOf({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/restored");
}

function fileOf(config: Place, { name, oid }: RestoredNote): string {
  return path.join(folderOf(config), `${directoryOf(name)}.${oid}.json`);
}
