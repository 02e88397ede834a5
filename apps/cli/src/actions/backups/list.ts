import { aheadLines, type BackupList, type BackupSummary, type ListedCopy } from "@trivault/backup/look";
import { formatBytes } from "@trivault/core";
import { listSite } from "@trivault/maintenance/look";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatAge, formatTime, print, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withTiers } from "../shared/with-tiers.ts";

export interface ListOptions {
  readonly database?: string;
  readonly fresh?: boolean;
  readonly json?: boolean;
}

export async function list(options: ListOptions, { signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  return withTiers(config, async (tiers) => {
    const { database, fresh = false } = options;
    const found = await listSite({ config, tiers, now: () => new Date() }, { signal, database, fresh });
    signal.throwIfAborted();
    for (const { tier, reason } of found.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
    for (const line of aheadLines(found, null, new Date())) say(line);
    const names = tiers.map(({ name }) => name);
    if (json) printJson(found);
    else if (found.backups.length === 0) print("No backups were found.");
    else printText(backupTable(found, names, new Date()));
    return found.unreachable.length === tiers.length ? EXIT.failed : EXIT.ok;
  });
}

export function backupTable(found: BackupList, tiers: readonly string[], now: Date): string {
  const unknown = new Set(found.unreachable.map(({ tier }) => tier));
  return table(
    ["BACKUP", "DATABASE", "STARTED", "AGE", ">SIZE", ...tiers.map((name) => name.toUpperCase())],
    found.backups.map((backup) => [
      backup.id,
      backup.database,
      formatTime(backup.startedAt),
      formatAge(now.getTime() - backup.startedAt.getTime()),
      formatBytes(backup.bytes),
      ...tiers.map((name) => (unknown.has(name) ? "?" : copyState(backup, name))),
    ]),
  );
}

export function copyState(
  backup: BackupSummary,
  tier: string,
): "yes" | "no" | Exclude<ListedCopy["state"], "complete"> {
  const copy = backup.copies.find((candidate) => candidate.tier === tier);
  if (copy === undefined) return "no";
  return copy.state === "complete" ? "yes" : copy.state;
}
