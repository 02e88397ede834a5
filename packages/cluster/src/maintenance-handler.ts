import path from "node:path";
import { acquireLease, type StageContext } from "@trivault/backup";
import { directoryOf, ensureFolder, messageOf, unwritableBy } from "@trivault/core";
import type { maintainTier, MaintenanceSite } from "@trivault/maintenance";
import { type Handler, type JobContext, maintenanceJobSchema, parseJob } from "@trivault/queue";

/** More than it takes to see that the one who had the turn before is dead. */
const PATIENCE = 1.2;

/**
 * One round of maintenance of a tier. Only one is done at a time, here and in other processes: a tier that hangs keeps one
 * job busy, while those that come after it end at once and leave the workers to the other tiers.
 */
export function maintenanceHandler(
  site: MaintenanceSite,
  maintain: typeof maintainTier,
  stageContext: (context: JobContext) => StageContext,
): Handler {
  const busy = new Set<string>();
  return {
    async run(data, context) {
      const { tier } = parseJob(maintenanceJobSchema, "maintenance", data);
      if (busy.has(tier)) return { tier, skipped: "its last round is not over" };
      busy.add(tier);
      try {
        const turn = await takeTurn(site, tier, context);
        if (!turn) return { tier, skipped: "another process is at it" };
        try {
          const signal = AbortSignal.any([context.signal, turn.lost]);
          return await maintain(site, tier, { ...stageContext(context), signal });
        } finally {
          await turn.release();
        }
      } finally {
        busy.delete(tier);
      }
    },
  };
}

/** By a lease in `BACKUP_DIR/.trivault/maintenance/`; null where another process keeps it. */
async function takeTurn({ config }: MaintenanceSite, tier: string, { signal, note }: JobContext) {
  const folder = path.join(config.backupDir, ".trivault/maintenance");
  const takeoverMs = config.worker.takeoverSeconds * 1000;
  const lost = new AbortController();
  const patience = AbortSignal.timeout(takeoverMs * PATIENCE + 1000);
  try {
    await ensureFolder(folder);
    const lease = await acquireLease(path.join(folder, `${directoryOf(tier)}.lease`), {
      takeoverMs,
      signal: AbortSignal.any([signal, patience]),
      onLost: (error) => lost.abort(error),
    });
    return { lost: lost.signal, release: () => lease.release() };
  } catch (error) {
    signal.throwIfAborted();
    if (patience.aborted) return null;
    if (unwritableBy(error) === null) throw error;
    // The disk of the site takes nothing, and the other tiers are kept in order all the same. Two rounds at a time do no harm.
    note(`its turn could not be noted: ${messageOf(error)}`);
    return { lost: lost.signal, release: async () => undefined };
  }
}
