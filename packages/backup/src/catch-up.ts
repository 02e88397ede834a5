import { messageOf } from "@trivault/core";
import { maintenanceStage } from "./maintenance.ts";
import type { NextStage, Site, StageContext } from "./site.ts";
import { copyStage } from "./stages/copy.ts";
import { encryptStage } from "./stages/encrypt.ts";

/**
 * Maintenance for a machine without workers: tidies up after runs that died, goes on with those that can be saved, and
 * brings, one after the other, the copies that are missing. What still cannot be done is noted, and left to the next time.
 */
export async function catchUp(site: Site, context: Omit<StageContext, "start">): Promise<void> {
  const undone: NextStage[] = [];
  const whole: StageContext = { ...context, start: async (next) => void undone.push(next) };
  await maintenanceStage(site, whole);
  for (const next of undone) {
    const what = next.stage === "encrypt" ? `sealing of ${next.backupId}` : `copy of ${next.backupId} to ${next.to}`;
    try {
      context.note(`${what}: an earlier run could not`);
      await (next.stage === "encrypt" ? encryptStage(site, next, whole) : copyStage(site, next, whole));
    } catch (error) {
      context.signal.throwIfAborted();
      context.note(`${what} failed again: ${messageOf(error)}`);
    }
  }
}
