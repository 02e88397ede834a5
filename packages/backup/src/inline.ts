import { newBackupId } from "@trivault/core";
import { inDumpSlot } from "./dump-slots.ts";
import { type RunManner, type RunStage, runStages, type StageEnd, type StageResult } from "./run-stages.ts";
import type { BackupRef, Site, StageContext } from "./site.ts";
import { dumpStage } from "./stages/dump.ts";

export interface InlineResult {
  readonly backupId: string;
  readonly ends: readonly StageEnd[];
}

/**
 * All stages of one backup in this process, overlapping as they do on workers, with no queue: for a cron job on a single
 * machine. Nothing is retried. Where the backup itself fails (dump or encryption) nothing of it is left; where only a
 * copy fails, the backup stays and the next run or worker can bring the copy.
 */
export async function runInline(
  site: Site,
  database: string,
  manner: Omit<RunManner, "next" | "lastTry">,
  dump: (site: Site, ref: BackupRef, context: StageContext) => Promise<StageResult> = dumpStage,
): Promise<InlineResult> {
  const ref = { database, backupId: newBackupId(site.now()) };
  const begin: RunStage = {
    stage: "dump",
    ...ref,
    work: (context) => inDumpSlot(site.config, database, context, () => dump(site, ref, context)),
  };
  const ends = await runStages(site, [begin], { ...manner, next: () => "beside", lastTry: true });
  return { backupId: ref.backupId, ends };
}
