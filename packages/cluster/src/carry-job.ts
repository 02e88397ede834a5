import { type RunStage, runStages, type StageContext, type StageResult } from "@trivault/backup";
import { type MaintenanceSite, recordedStage } from "@trivault/maintenance";
import type { JobContext } from "@trivault/queue";

export interface StageJob {
  /** Who asked for it. */
  readonly actor: string;
  readonly details?: Readonly<Record<string, string>>;
  readonly context: JobContext;
  /** What the stage is given; what it asks for goes into the queue. */
  readonly stage: StageContext;
}

/** One stage of a run as a job: its end goes into the audit log, and what it asks for into the queue. Throws as the stage does. */
export async function carryJob(
  site: MaintenanceSite,
  what: RunStage,
  { actor, details = {}, context, stage }: StageJob,
): Promise<StageResult> {
  const [end] = await runStages(site, [what], {
    signal: stage.signal,
    log: stage.log,
    note: (_stage, line) => stage.note(line),
    progress: (_stage, progress) => stage.progress(progress),
    next: async (next) => {
      await stage.start(next);
      return "elsewhere" as const;
    },
    around: (each, work) => recordedStage(site, each, { actor, details, attempt: context }, work),
    // The queue tries it again, and gives it up where it does so no more.
    lastTry: false,
  });
  if (end === undefined) throw new RangeError("a stage always ends");
  if (!end.ok) throw end.error;
  return end.result;
}
