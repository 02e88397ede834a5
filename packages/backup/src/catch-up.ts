import { messageOf } from "@trivault/core";
import { maintenanceStage } from "./maintenance.ts";
import type { NextStage, Site, StageContext } from "./site.ts";
import { copyStage } from "./stages/copy.ts";

/**
 * Maintenance for a machine without workers: tidies up after runs that died and brings, one after the other, the copies
 * that earlier runs could not make. What still cannot be done is noted, and left to the next time.
 */
export async function catchUp(site: Site, context: Omit<StageContext, "start">): Promise<void> {
  const missing: NextStage[] = [];
  const start = async (next: NextStage) => void missing.push(next);
  await maintenanceStage(site, { ...context, start });
  for (const next of missing) {
    if (next.stage !== "copy") continue;
    try {
      context.note(`bringing ${next.backupId} to ${next.to}, which an earlier run could not`);
      await copyStage(site, next, { ...context, start });
    } catch (error) {
      context.signal.throwIfAborted();
      context.note(`${next.to} still lacks ${next.backupId}: ${messageOf(error)}`);
    }
  }
}
