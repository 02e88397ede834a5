import { background, type Logger, messageOf, newBackupId } from "@trivault/core";
import { encryptStage } from "./stages/encrypt.ts";
import { giveUp } from "./give-up.ts";
import { copyStage } from "./stages/copy.ts";
import { dumpStage } from "./stages/dump.ts";
import { inDumpSlot } from "./dump-slots.ts";
import { abandoned, removeRun, runDirectory } from "./run-directory.ts";
import { removePartial } from "./copies.ts";
import type { NextStage, Progress, Site, StageContext } from "./site.ts";

export type StageName = "dump" | "encrypt" | `copy:${string}`;

export interface InlineResult {
  readonly backupId: string;
  readonly stages: Readonly<
    Record<
      string,
      | { readonly ok: true; readonly bytes: number; readonly seconds: number; readonly rows?: number | null }
      | { readonly ok: false; readonly error: unknown }
    >
  >;
}

/**
 * All stages of one backup in this process, overlapping as they do on workers, with no queue: for a cron job on a single
 * machine. Nothing is retried. Where the backup itself fails (dump or encryption) nothing of it is left; where only a
 * copy fails, the backup stays and the next run or worker can bring the copy.
 */
export async function runInline(
  site: Site,
  database: string,
  watch: {
    signal: AbortSignal;
    log: Logger;
    note: (stage: StageName, line: string) => void;
    progress: (stage: StageName, progress: Progress) => void;
    ended?: (stage: StageName, ok: boolean) => void;
  },
): Promise<InlineResult> {
  const ref = { database, backupId: newBackupId(site.now()) };
  const stages: Record<string, InlineResult["stages"][string]> = {};
  const running = new Map<StageName, Promise<void>>();
  const givenUp = new AbortController();
  const notTidied = (stage: StageName, error: unknown) =>
    watch.note(stage, `what is left could not be removed: ${messageOf(error)}`);
  const begin = (
    name: StageName,
    stage: (context: StageContext) => Promise<{ bytes: number; seconds: number; rows?: number | null }>,
  ) => {
    if (running.has(name)) return;
    const context: StageContext = {
      signal: AbortSignal.any([watch.signal, givenUp.signal]),
      log: watch.log.child({ stage: name, ...ref }),
      note: (line) => watch.note(name, line),
      progress: (progress) => watch.progress(name, progress),
      start: async (next) => start(next),
    };
    const outcome = stage(context).then(
      ({ bytes, seconds, rows = null }) => {
        stages[name] = { ok: true, bytes, seconds, rows };
        watch.ended?.(name, true);
      },
      async (error: unknown) => {
        stages[name] = { ok: false, error };
        watch.ended?.(name, false);
        if (name !== "encrypt") return;
        givenUp.abort(abandoned(messageOf(error)));
        await giveUp(site, ref, messageOf(error)).catch((cause: unknown) => notTidied(name, cause));
      },
    );
    running.set(name, background(outcome));
  };
  const start = (next: NextStage) => {
    if (next.stage === "encrypt") begin("encrypt", (context) => encryptStage(site, ref, context));
    else begin(`copy:${next.to}`, (context) => copyStage(site, next, context));
  };
  begin("dump", (context) => inDumpSlot(site.config, database, context, () => dumpStage(site, ref, context)));
  for (let count = -1; count !== running.size;) {
    count = running.size;
    await Promise.all(running.values());
  }
  if (stages["dump"]?.ok !== true || stages["encrypt"]?.ok !== true) {
    for (const tier of site.tiers) await removePartial(tier, ref).catch((error: unknown) => notTidied("dump", error));
    await removeRun(runDirectory(site.config, ref.backupId)).catch((error: unknown) => notTidied("dump", error));
  }
  return { backupId: ref.backupId, stages };
}
