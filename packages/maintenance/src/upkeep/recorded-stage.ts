import type { AuditEvent } from "@trivault/audit";
import type { RunStage, StageResult } from "@trivault/backup";
import { codeOf, hidePasswords, messageOf } from "@trivault/core";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { recordRepair } from "../repair/repair.ts";

const ACTIONS = { dump: "backup.dump", encrypt: "backup.encrypt", copy: "backup.copy" } as const;

export interface StageRecord {
  /** Who asked for it. */
  readonly actor: string;
  readonly details?: AuditEvent["details"];
  /** Where it is tried again: which try this is, and whether another one follows an error. */
  readonly attempt?: { readonly attempt: number; readonly isRetried: (error: unknown) => boolean };
  /** Ends that are none: nothing was done, or somebody stopped it who will begin again. Null is a failure. */
  readonly leaveOut?: (result: StageResult | null) => boolean;
}

/** Carries out a stage and writes its end into the audit log: a failure, too, and what a copy repaired. */
export async function recordedStage(
  { record, tiers }: Pick<MaintenanceSite, "record" | "tiers">,
  stage: RunStage,
  { actor, details: given = {}, attempt, leaveOut = () => false }: StageRecord,
  work: () => Promise<StageResult>,
): Promise<StageResult> {
  const begun = performance.now();
  const { database, backupId } = stage;
  const tier = stage.stage === "dump" ? {} : { tier: stage.stage === "copy" ? stage.to : tiers[0].name };
  const event = { action: ACTIONS[stage.stage], actor, database, backupId, ...tier };
  const details = { ...given, ...(attempt && { attempt: attempt.attempt }) };
  const detailsWith = (more: AuditEvent["details"]) => {
    const all = { ...details, ...more };
    return Object.keys(all).length === 0 ? {} : { details: all };
  };
  let result: StageResult;
  try {
    result = await work();
  } catch (error) {
    if (leaveOut(null)) throw error;
    await record({
      ...event,
      outcome: "failed",
      seconds: (performance.now() - begun) / 1000,
      error: { code: codeOf(error) ?? "UNKNOWN", message: hidePasswords(messageOf(error)) },
      ...detailsWith(attempt && { retried: attempt.isRetried(error) }),
    });
    throw error;
  }
  // Outside of the above: a success that could not be recorded is no failure of the stage.
  const { seconds, bytes, rows = null, repaired = null } = result;
  if (!leaveOut(result)) {
    await record({ ...event, outcome: "ok", seconds, bytes, ...detailsWith(rows === null ? {} : { rows }) });
  }
  if (stage.stage === "copy") await recordRepair(record, { ...stage, bytes, seconds, repaired });
  return result;
}
