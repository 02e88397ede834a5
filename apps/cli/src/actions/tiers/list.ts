import { siteTrust } from "@trivault/backup";
import { formatBytes, timeOfBackupId } from "@trivault/core";
import { type Inventory, loadMarks, type Marks, scanAll } from "@trivault/maintenance";
import { openTiers } from "@trivault/storage";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatAge, formatTime, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { chooseTiers, type TierNoun } from "./nouns.ts";

export interface TierListOptions {
  readonly tier?: string;
  readonly database?: string;
  readonly json?: boolean;
}

export async function listTiers(noun: TierNoun, options: TierListOptions, running: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const now = new Date();
  const tiers = openTiers(chooseTiers(config, noun, options.tier));
  try {
    const trust = await siteTrust({ config });
    const { signal } = running;
    const { inventories, unreachable } = await scanAll({ config, now: () => now }, tiers, { signal, trust });
    signal.throwIfAborted();
    for (const { tier, reason } of unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
    const marks = await loadMarks(config);
    const listed = inventories.map((inventory) => ({
      tier: inventory.tier,
      scannedAt: inventory.scannedAt,
      backups: backupsOf(inventory, marks, options.database),
    }));
    if (running.json) printJson({ tiers: listed, unreachable });
    else
      for (const { tier, backups } of listed)
        printText(`${listed.length > 1 ? `${tier}\n` : ""}${backupTable(tier, backups, now)}`);
    return unreachable.length > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await Promise.all(tiers.map(({ store }) => store.close()));
  }
}

type ListedBackup = ReturnType<typeof backupsOf>[number];

/** Newest first. */
function backupsOf({ copies }: Inventory, marks: Marks, database: string | undefined) {
  return copies
    .filter((copy) => database === undefined || copy.database === database)
    .toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1))
    .map(({ backupId: id, database: name, bytes, objects, state }) => {
      return {
        id,
        database: name,
        startedAt: timeOfBackupId(id),
        bytes,
        objects,
        state,
        keep: marks.keep.get(id)?.reason ?? null,
      };
    });
}

function backupTable(tier: string, backups: readonly ListedBackup[], now: Date): string {
  if (backups.length === 0) return `${tier} holds no backups.`;
  return table(
    ["BACKUP", "DATABASE", "STARTED", "AGE", ">SIZE", "STATE", "KEPT BY HAND"],
    backups.map(({ id, database, startedAt, bytes, state, keep }) => [
      id,
      database,
      formatTime(startedAt),
      formatAge(now.getTime() - startedAt.getTime()),
      formatBytes(bytes),
      state,
      keep ?? "",
    ]),
  );
}
