import type { AuditLog } from "@trivault/audit";
import {
  type dumpStage,
  listSlotRuns,
  serverOf,
  settlePrevious,
  type SlotRun,
  type StageContext,
} from "@trivault/backup";
import { findDatabase, isBackupId, newBackupId, timeOfBackupId } from "@trivault/core";
import type { MaintenanceSite } from "@trivault/maintenance";
import { type DumpJob, dumpJobSchema, type Handler, type JobContext, parseJob } from "@trivault/queue";
import { latestSlot } from "@trivault/schedule";
import { carryJob } from "./carry-job.ts";
import type { DumpLimit } from "./dump-limit.ts";
import type { Slot } from "./schedule-queue.ts";
import { isSlotRun } from "./slot-history.ts";

const CLOCKS_DIFFER_MS = 60_000;

/** What a stage is called with by a job: what it starts is done in the name of who asked for the job. */
export type ToStageContext = (context: JobContext, actor: string) => StageContext;

export interface DumpHandlerDeps {
  readonly site: MaintenanceSite;
  readonly history: Pick<AuditLog, "query">;
  readonly limit: DumpLimit;
  readonly dump: typeof dumpStage;
  /** Whether the queue knows the run of a slot. */
  readonly isQueued: (slot: Slot) => Promise<boolean>;
  readonly stageContext: ToStageContext;
}

/**
 * One attempt of a dump job. It dumps nothing where that would make a second backup: of an attempt before that is through
 * although its worker died, or of a slot that another job has served, which a Redis that was wiped cannot know.
 */
export function dumpHandler({ site, history, limit, dump, isQueued, stageContext }: DumpHandlerDeps): Handler {
  const goOn = async (job: DumpJob, backupId: string, context: JobContext) => {
    await recordIfUnknown(job, backupId);
    const ref = { database: job.database, backupId };
    await stageContext(context, job.actor).start({ stage: "encrypt", ...ref });
    return ref;
  };
  /** The worker of a dump that is through may have died before it could record that. */
  const recordIfUnknown = async ({ database, actor, slot }: DumpJob, backupId: string) => {
    for await (const _event of history.query({ backupId, action: "backup.dump", outcome: "ok" }, "newest-first"))
      return;
    await site.record({ action: "backup.dump", outcome: "ok", actor, database, backupId, details: detailsOf(slot) });
  };
  /** Looked for in the audit log from the time of the id on, as nothing older can be it. */
  const wasDumped = async (backupId: string): Promise<boolean> => {
    if (!isBackupId(backupId)) return false;
    const from = new Date(timeOfBackupId(backupId).getTime() - CLOCKS_DIFFER_MS);
    for await (const _event of history.query({ backupId, action: "backup.dump", outcome: "ok", from }, "newest-first"))
      return true;
    return false;
  };
  /** The newest slot, where its run waits already: of several that have come up while none could be run, one is enough. */
  const newerSlot = async ({ database }: DumpJob, slot: string): Promise<Date | null> => {
    const schedule = findDatabase(site.config, database)?.schedule;
    if (!schedule) return null;
    const newest = latestSlot(schedule, site.now());
    return newest > new Date(slot) && (await isQueued({ database, slot: newest })) ? newest : null;
  };
  return {
    async run(data, context, handle) {
      const job = parseJob(dumpJobSchema, "dump", data);
      const { database, actor, current, slot, missed } = job;
      const server = serverOf(site.config, database); // null for one that is not configured: the stage says so
      const dumpSlot = server === null ? null : await limit.take({ database, server }, handle, context);
      try {
        await handle.begun();
        // Whoever was at this database before is through or dead, or would hold its slot.
        if (current !== undefined && (await settlePrevious(site, { database, backupId: current })) === "dumped") {
          return await goOn(job, current, context);
        }
        // Its job was put back into Redis, by whomever: a backup of now must not get the id of then.
        if (current === undefined && (await wasDumped(handle.id))) {
          const ended = (await settlePrevious(site, { database, backupId: handle.id })) !== "dumped";
          return ended ? { database, served: handle.id } : await goOn(job, handle.id, context);
        }
        if (slot !== undefined) {
          if (await isSlotRun(history, { database, slot })) return { database, served: slot };
          const newer = current === undefined ? await newerSlot(job, slot) : null;
          if (newer) {
            const details = { slot, missed: 1, instead: newer.toISOString() };
            await site.record({ action: "schedule.missed", outcome: "failed", actor, database, details });
            return { database, slot, instead: newer };
          }
          const other = await otherRun(site, job);
          if (other && (await settlePrevious(site, other)) === "dumped")
            return await goOn(job, other.backupId, context);
        }
        const backupId = current === undefined && isBackupId(handle.id) ? handle.id : newBackupId(site.now());
        if (missed && current === undefined) {
          const details = { ...detailsOf(slot), missed: missed.slots, lateSeconds: missed.lateSeconds };
          await site.record({ action: "schedule.missed", outcome: "failed", actor, database, details });
        }
        await handle.update({ ...job, current: backupId } satisfies DumpJob);
        return await carryJob(
          site,
          { stage: "dump", database, backupId, work: (stage) => dump(site, { database, backupId, slot }, stage) },
          { actor, details: detailsOf(slot), context, stage: stageContext(context, actor) },
        );
      } finally {
        await dumpSlot?.release();
      }
    },
  };
}

/** A run of the same slot that this job knows nothing of. */
async function otherRun(
  { config }: MaintenanceSite,
  { database, slot, current }: DumpJob,
): Promise<SlotRun | undefined> {
  const runs = await listSlotRuns(config);
  return runs.find((run) => run.database === database && run.slot.toISOString() === slot && run.backupId !== current);
}

function detailsOf(slot: string | undefined): Record<string, string> {
  return slot === undefined ? {} : { slot };
}
