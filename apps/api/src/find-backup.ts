import { type BackupList, type BackupSummary, listBackups } from "@trivault/backup";
import { TrivaultError } from "@trivault/core";
import { readInventories } from "@trivault/maintenance";
import type { ApiDeps } from "./deps.ts";
import { BACKUPS_PATH } from "./links.ts";

/** A tier that takes longer than this to list counts as unreachable, for this answer. */
export const LISTING_MS = 20_000;
/** More databases than this are not tried one after the other. */
const FEW_DATABASES = 8;

export interface FoundBackup {
  readonly backup: BackupSummary | null;
  readonly unreachable: BackupList["unreachable"];
}

/** A backup on the tiers, by listing no more than its own folder where its database can be guessed. */
export async function findBackup(
  deps: ApiDeps,
  backupId: string,
  database: string | null,
  signal: AbortSignal,
): Promise<FoundBackup> {
  const { tiers } = deps;
  const guesses = database === null ? await guessDatabases(deps, backupId) : [database];
  for (const name of guesses) {
    const { backups, unreachable } = await listBackups(tiers, { database: name, backupId }, signal);
    const [backup = null] = backups;
    if (backup !== null || database !== null) return { backup, unreachable };
  }
  const { backups, unreachable } = await listBackups(tiers, undefined, signal);
  return { backup: backups.find(({ id }) => id === backupId) ?? null, unreachable };
}

/** Throws NOT_FOUND, or STORE_UNREACHABLE where a tier that might have it could not be asked. */
export async function requireBackup(
  deps: ApiDeps,
  backupId: string,
  request: AbortSignal,
): Promise<BackupSummary & Pick<FoundBackup, "unreachable">> {
  const signal = AbortSignal.any([request, AbortSignal.timeout(LISTING_MS)]);
  const { backup, unreachable } = await findBackup(deps, backupId, null, signal);
  if (backup !== null) return { ...backup, unreachable };
  const silent = unreachable.map(({ tier, reason }) => ` The tier ${tier} could not be asked: ${reason}`).join("");
  if (silent !== "") {
    throw new TrivaultError("STORE_UNREACHABLE", `The tiers that answer hold no backup ${backupId}.${silent}`);
  }
  throw new TrivaultError("NOT_FOUND", `There is no backup ${backupId}; GET ${BACKUPS_PATH} lists them.`, {
    permanent: true,
  });
}

async function guessDatabases({ config }: ApiDeps, backupId: string): Promise<string[]> {
  const names = config.databases.map(({ name }) => name);
  if (names.length <= FEW_DATABASES && config.servers.length === 0) return names;
  const copies = (await readInventories(config)).flatMap((inventory) => inventory.copies);
  const known = copies.find((copy) => copy.backupId === backupId)?.database;
  return known === undefined ? [] : [known];
}
