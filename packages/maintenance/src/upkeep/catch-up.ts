import { type NextStage, type RunStage, runStages, type StageContext, type StageResult } from "@trivault/backup";
import { messageOf } from "@trivault/core";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { lookAt, maintainSeen } from "./maintain-tier.ts";
import { recordedStage } from "./recorded-stage.ts";

/**
 * Maintenance for a machine without workers: all tiers one after the other, with everything that it starts carried out
 * here. Tiers are looked at all at once before, so that each is planned with what the others hold. What still cannot be
 * done is noted, and left to the next time. A tier whose round fails does not keep the others waiting: the first failure is
 * thrown when all had theirs.
 */
export async function catchUp(site: MaintenanceSite, context: Omit<StageContext, "start">): Promise<void> {
  const looks = await Promise.all(site.tiers.map((tier) => lookAt(site, tier, context.signal)));
  const failures: unknown[] = [];
  for (const look of looks) {
    const undone: NextStage[] = [];
    const whole: StageContext = { ...context, start: async (next) => void undone.push(next) };
    try {
      await maintainSeen(site, look, whole);
    } catch (error) {
      // The other tiers have their rounds all the same.
      context.signal.throwIfAborted();
      context.note(`the round of ${look.tier.name} could not be finished: ${messageOf(error)}`);
      failures.push(error);
    }
    await runStages(site, undone, {
      signal: context.signal,
      log: context.log,
      note: (_stage, line) => context.note(line),
      progress: (_stage, progress) => context.progress(progress),
      // What is begun here may start more: a dump that was sealed belongs on the other tiers.
      next: () => "after",
      around: (stage, work) => again(site, stage, context, work),
      lastTry: false,
    });
    context.signal.throwIfAborted();
  }
  if (failures.length > 0) throw failures[0];
}

async function again(
  site: MaintenanceSite,
  stage: RunStage,
  { signal, note }: Pick<StageContext, "signal" | "note">,
  work: () => Promise<StageResult>,
): Promise<StageResult> {
  const what = stage.stage === "copy" ? `copy of ${stage.backupId} to ${stage.to}` : `sealing of ${stage.backupId}`;
  note(`${what}: an earlier run could not`);
  try {
    return await recordedStage(
      site,
      stage,
      {
        actor: "maintenance",
        ...(stage.stage === "copy" && { details: { from: stage.from } }),
        // A copy that came about since the tier was looked at is none that was made here.
        leaveOut: (result) => (result === null ? signal.aborted : result.bytes === 0),
      },
      work,
    );
  } catch (error) {
    if (!signal.aborted) note(`${what} failed again: ${messageOf(error)}`);
    throw error;
  }
}
