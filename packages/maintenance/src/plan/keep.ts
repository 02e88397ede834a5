import type { Recorder } from "@trivault/audit";
import type { BackupRef } from "@trivault/backup";
import { type Config, TrivaultError } from "@trivault/core";
import { acceptSize, type KeepMark, loadMarks, markKept, releaseKept } from "./marks.ts";

interface KeepSite {
  readonly config: Pick<Config, "backupDir" | "tiers">;
  readonly record: Recorder;
  readonly now: () => Date;
}

/** Holds a backup on all tiers, and records it. */
export async function holdBackup(
  site: KeepSite,
  ref: BackupRef,
  { reason, actor }: Pick<KeepMark, "reason" | "actor">,
): Promise<KeepMark> {
  const mark = { reason, actor, at: site.now() };
  await markKept(site.config, ref, mark);
  await site.record({ action: "keep.marked", outcome: "ok", actor, ...ref, details: { reason } });
  return { database: ref.database, ...mark };
}

/** The rules apply to it again. Returns the mark that it had; throws NOT_FOUND where it had none. */
export async function releaseBackup(
  site: KeepSite,
  ref: BackupRef,
  { actor, why }: { readonly actor: string; readonly why?: string | undefined },
): Promise<KeepMark> {
  const { keep } = await loadMarks(site.config);
  const mark = keep.get(ref.backupId);
  if (mark?.database !== ref.database || !(await releaseKept(site.config, ref))) {
    const hint = mark ? ` It is one of ${mark.database}.` : "";
    throw new TrivaultError(
      "NOT_FOUND",
      `The backup ${ref.backupId} of ${ref.database} is not held, so there is nothing to release.${hint} See npm run backup:keep:list`,
      { permanent: true },
    );
  }
  const details = { reason: mark.reason, ...(why === undefined ? {} : { why }) };
  await site.record({ action: "keep.released", outcome: "ok", actor, ...ref, details });
  return mark;
}

export async function acceptSizeFrom(site: KeepSite, ref: BackupRef, actor: string): Promise<void> {
  await acceptSize(site.config, ref.database, ref.backupId);
  await site.record({ action: "size.accepted", outcome: "ok", actor, ...ref });
}
