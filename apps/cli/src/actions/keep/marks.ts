import { type BackupRef, chooseBackup, listBackups } from "@trivault/backup";
import { messageOf } from "@trivault/core";
import { acceptSizeFrom, holdBackup, loadMarks, type MaintenanceSite, releaseBackup } from "@trivault/maintenance";
import { actor } from "../../actor.ts";
import { chooseDatabase } from "../../choose-database.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withSite } from "../shared/with-site.ts";

export interface KeepOptions {
  readonly database?: string;
  readonly json?: boolean;
}

export async function keepAdd(
  backupId: string,
  options: KeepOptions & { readonly reason: string },
  { signal, json }: Running,
): Promise<number> {
  const environment = readEnvironment("read");
  const ref = { database: chooseDatabase(environment.config, options.database), backupId };
  return withSite(environment, { signal }, async (site) => {
    await expectBackup(site, ref, signal);
    const { at, reason } = await holdBackup(site, ref, { reason: options.reason, actor: actor() });
    if (json) printJson({ ...ref, reason, actor: actor(), at });
    else print(`${backupId} of ${ref.database} is held on all tiers: ${reason}`);
    return EXIT.ok;
  });
}

export async function keepRemove(backupId: string, options: KeepOptions, { signal, json }: Running): Promise<number> {
  const environment = readEnvironment("read");
  const ref = { database: chooseDatabase(environment.config, options.database), backupId };
  return withSite(environment, { signal }, async (site) => {
    const { problems } = await loadMarks(site.config);
    for (const problem of problems) say(`Warning: ${problem}`);
    const { reason } = await releaseBackup(site, ref, { actor: actor() });
    if (json) printJson({ ...ref, released: true, reason });
    else print(`${backupId} of ${ref.database} is released (it was held for: ${reason}); the rules apply to it again`);
    return EXIT.ok;
  });
}

export async function keepAcceptSize(
  options: KeepOptions & { readonly from: string },
  { signal, json }: Running,
): Promise<number> {
  const environment = readEnvironment("read");
  const ref = { database: chooseDatabase(environment.config, options.database), backupId: options.from };
  return withSite(environment, { signal }, async (site) => {
    await expectBackup(site, ref, signal);
    await acceptSizeFrom(site, ref, actor());
    if (json) printJson({ database: ref.database, from: ref.backupId });
    else print(`Backups of ${ref.database} from ${ref.backupId} on displace older ones, however small they are`);
    return EXIT.ok;
  });
}

/** A mark on a backup that is not there helps nobody: most likely its id was mistyped. */
async function expectBackup(site: MaintenanceSite, ref: BackupRef, signal: AbortSignal): Promise<void> {
  const list = await listBackups(site.tiers, ref, signal);
  signal.throwIfAborted();
  try {
    chooseBackup(list, ref.database, ref.backupId);
  } catch (error) {
    if (list.unreachable.length === 0) throw error;
    say(`Warning: ${messageOf(error)} It is done all the same, as the backup may be there.`);
  }
}
