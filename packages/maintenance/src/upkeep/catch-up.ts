import type { AuditEvent } from "@trivault/audit";
import { copyStage, encryptStage, type NextStage, type StageContext } from "@trivault/backup";
import { codeOf, messageOf } from "@trivault/core";
import { recordRepair } from "../repair/repair.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { lookAt, maintainSeen } from "./maintain-tier.ts";

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
    // What is begun here may start more: a dump that was sealed belongs on the other tiers.
    for (let next = undone.shift(); next; next = undone.shift()) await carryOut(site, next, whole);
  }
  if (failures.length > 0) throw failures[0];
}

async function carryOut(site: MaintenanceSite, next: NextStage, context: StageContext): Promise<void> {
  const what = next.stage === "encrypt" ? `sealing of ${next.backupId}` : `copy of ${next.backupId} to ${next.to}`;
  const begun = performance.now();
  try {
    context.note(`${what}: an earlier run could not`);
    const copied = next.stage === "copy" ? await copyStage(site, next, context) : null;
    const { bytes } = copied ?? (await encryptStage(site, next, context));
    const seconds = (performance.now() - begun) / 1000;
    // A copy that came about since the tier was looked at is none that was made here.
    if (bytes > 0) await site.record({ ...eventOf(next), outcome: "ok", bytes, seconds });
    if (copied) await recordRepair(site.record, copied);
  } catch (error) {
    context.signal.throwIfAborted();
    context.note(`${what} failed again: ${messageOf(error)}`);
    const failure = { code: codeOf(error) ?? "UNEXPECTED", message: messageOf(error) };
    await site.record({ ...eventOf(next), outcome: "failed", error: failure });
  }
}

function eventOf(next: NextStage): Omit<AuditEvent, "outcome"> {
  const { database, backupId } = next;
  const common = { actor: "maintenance", database, backupId };
  if (next.stage === "encrypt") return { action: "backup.encrypt", ...common };
  return { action: "backup.copy", ...common, tier: next.to, details: { from: next.from } };
}
