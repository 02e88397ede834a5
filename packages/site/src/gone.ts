import { rm } from "node:fs/promises";
import path from "node:path";
import { type Config, directoryOf, ensureFolder, publishJson, readdirOrEmpty, readJson } from "@trivault/core";
import { z } from "zod";

/**
 * Discovered databases that their server does not hold any more, until they are back or nothing of them is left:
 *
 *     <BACKUP_DIR>/.trivault/gone/<database directory>/
 *       gone.json            since when; written by whoever replaces what the server said before (discovery.ts)
 *       acknowledged.json    who has taken note of it: from then on nobody is alerted
 *
 * Two files, so that who writes one need not know of the other.
 */
const goneSchema = z.object({
  name: z.string().min(1),
  server: z.string(),
  since: z.iso.datetime(),
  /** The audit log has it. */
  recorded: z.boolean().default(false),
});
const acknowledgedSchema = z.object({
  by: z.string(),
  at: z.iso.datetime(),
  reason: z.string().nullable().default(null),
});

export type Acknowledgement = Readonly<z.infer<typeof acknowledgedSchema>>;
export type GoneDatabase = Readonly<z.infer<typeof goneSchema>> & { readonly acknowledged: Acknowledgement | null };

type Place = Pick<Config, "backupDir">;

/** What cannot be read is as if it were not there: then it is reported, and reported again, rather than not. */
export async function loadGone(config: Place): Promise<GoneDatabase[]> {
  const root = rootOf(config);
  const found = (await readdirOrEmpty(root)).map(async (folder): Promise<GoneDatabase | null> => {
    const gone = await readJson(path.join(root, folder, "gone.json"), goneSchema).catch(() => null);
    const acknowledged = await readJson(path.join(root, folder, "acknowledged.json"), acknowledgedSchema).catch(
      () => null,
    );
    return gone && { ...gone, acknowledged };
  });
  return (await Promise.all(found)).filter((gone) => gone !== null).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** That it was acknowledged before does not hold for this time. */
export async function noteGone(config: Place, gone: Omit<GoneDatabase, "acknowledged" | "recorded">): Promise<void> {
  const folder = folderOf(config, gone.name);
  await ensureFolder(folder);
  await rm(path.join(folder, "acknowledged.json"), { force: true });
  await publishJson(path.join(folder, "gone.json"), { ...gone, recorded: false });
}

export async function noteRecorded(
  config: Place,
  { acknowledged: _acknowledged, ...gone }: GoneDatabase,
): Promise<void> {
  await publishJson(path.join(folderOf(config, gone.name), "gone.json"), { ...gone, recorded: true });
}

export async function writeAcknowledgement(config: Place, name: string, mark: Acknowledgement): Promise<void> {
  const folder = folderOf(config, name);
  await ensureFolder(folder);
  await publishJson(path.join(folder, "acknowledged.json"), mark);
}

export async function forgetGone(config: Place, name: string): Promise<void> {
  await rm(folderOf(config, name), { recursive: true, force: true });
}

function rootOf({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/gone");
}

function folderOf(config: Place, name: string): string {
  return path.join(rootOf(config), directoryOf(name));
}
