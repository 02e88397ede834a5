import { type CopyState, idsAhead, isBackupId, messageOf, timeOfBackupId, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { listCopies } from "./copies.ts";
import type { BackupRef } from "./site.ts";

/** One backup and where it lies. */
export interface BackupSummary {
  readonly id: string;
  readonly database: string;
  readonly startedAt: Date;
  /** Bytes of its largest complete copy; of what there is where none is complete. */
  readonly bytes: number;
  readonly copies: readonly ListedCopy[];
}

export interface ListedCopy {
  readonly tier: string;
  readonly complete: boolean;
  /** By its listing alone a copy with a manifest is complete; maintenance, which reads manifests, knows better. */
  readonly state: CopyState;
  readonly bytes: number;
}

export interface BackupList {
  /** Newest first. */
  readonly backups: readonly BackupSummary[];
  /** Tiers that could not be listed: what is there is not known, which is not the same as nothing. */
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
}

/**
 * All backups (of one database; or one backup alone) on all given tiers, by listing them. A tier that fails, or is not
 * through when `signal` aborts, does not hide what the others hold.
 */
export async function listBackups(
  tiers: readonly Tier[],
  of?: string | BackupRef,
  signal?: AbortSignal,
): Promise<BackupList> {
  const outcomes = await Promise.all(
    tiers.map(async (tier) => {
      try {
        return { tier: tier.name, copies: await listCopies(tier, of, signal) };
      } catch (error) {
        return { tier: tier.name, reason: messageOf(signal?.aborted ? signal.reason : error) };
      }
    }),
  );
  const found = outcomes.flatMap((outcome) =>
    outcome.copies === undefined
      ? []
      : outcome.copies.map((copy) => {
          const state = copy.complete ? ("complete" as const) : ("partial" as const);
          return { tier: outcome.tier, ...copy, state };
        }),
  );
  return {
    backups: summariseBackups(found),
    unreachable: outcomes.flatMap((outcome) =>
      outcome.reason === undefined ? [] : [{ tier: outcome.tier, reason: outcome.reason }],
    ),
  };
}

/**
 * The backup that `wanted` names: an id, or `latest`, the newest with a complete copy, whoever wrote it (`chooseTrusted`
 * believes not everybody). Throws NOT_FOUND, and says so where a tier could not be asked.
 */
export function chooseBackup(list: BackupList, database: string, wanted: string): BackupSummary {
  if (wanted !== "latest" && !isBackupId(wanted)) {
    throw new TrivaultError(
      "INPUT_INVALID",
      `${JSON.stringify(wanted)} is not a backup id: expected latest, or one such as 20261123t020000z-7f3k9xq2, as \`npm run backup:list\` prints them.`,
      { permanent: true },
    );
  }
  const complete = list.backups.filter(
    (backup) => backup.database === database && backup.copies.some((copy) => copy.complete),
  );
  const chosen = wanted === "latest" ? complete[0] : complete.find((backup) => backup.id === wanted);
  if (chosen) return chosen;
  const what = wanted === "latest" ? "No complete backup" : `No complete backup ${wanted}`;
  const asked = list.unreachable.map(({ tier, reason }) => ` The tier ${tier} could not be asked: ${reason}`).join("");
  const others = [...new Set(list.backups.map((backup) => backup.database))].filter((name) => name !== database);
  const hint = others.length > 0 ? ` There are backups of: ${others.join(", ")}.` : "";
  throw new TrivaultError(
    "NOT_FOUND",
    `${what} of the database ${JSON.stringify(database)} was found.${hint}${asked}`,
    {
      permanent: list.unreachable.length === 0,
    },
  );
}

/** A line about backups (of one database) that are dated in the future; none where there are none. */
export function aheadLines({ backups }: BackupList, database: string | null, now: Date): string[] {
  const those = backups.filter((backup) => database === null || backup.database === database);
  const ids = idsAhead(
    those.map(({ id }) => id),
    now,
  );
  if (ids.length === 0) return [];
  const named = `${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ` and ${ids.length - 5} more` : ""}`;
  const count = ids.length === 1 ? "1 backup is" : `${ids.length} backups are`;
  return [
    `${count} dated in the future: ${named}. A clock is or was wrong, here or where they were made; or somebody put them there.`,
  ];
}

/** Copies by the backup that they are of, newest first. */
export function summariseBackups(copies: readonly (BackupRef & ListedCopy)[]): BackupSummary[] {
  const groups = Map.groupBy(copies, ({ database, backupId }) => `${database}/${backupId}`);
  return [...groups.values()].map(summarise).toSorted((a, b) => (a.id < b.id ? 1 : -1));
}

function summarise(copies: readonly (BackupRef & ListedCopy)[]): BackupSummary {
  const [first] = copies;
  if (first === undefined) throw new RangeError("a group has at least one copy");
  const complete = copies.filter((copy) => copy.complete);
  return {
    id: first.backupId,
    database: first.database,
    startedAt: timeOfBackupId(first.backupId),
    bytes: Math.max(...(complete.length > 0 ? complete : copies).map((copy) => copy.bytes)),
    copies: copies.map(({ tier, complete: whole, state, bytes }) => ({ tier, complete: whole, state, bytes })),
  };
}
