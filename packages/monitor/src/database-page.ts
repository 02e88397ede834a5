import { timeOfBackupId } from "@trivault/core";
import type { DatabaseHealth, Marks, Orphan } from "@trivault/maintenance";
import { type History, SHOWN_MS } from "./history.ts";
import type { DatabasePage, RetentionRow, Run } from "./views.ts";

/** So many are worth looking at. */
const MOST_RETAINED = 2000;

export interface DatabasePageInput {
  readonly health: DatabaseHealth;
  readonly orphan: Orphan | null;
  /** All that the audit log still knows, oldest first. */
  readonly runs: readonly Run[];
  readonly plan: { readonly decisions: readonly PlannedDecision[] } | null;
  readonly marks: Pick<Marks, "keep">;
  readonly history: Pick<History, "missed" | "restores">;
  readonly now: Date;
}

interface PlannedDecision {
  readonly backupId: string;
  readonly tier: string;
  readonly bytes: number;
  readonly state: RetentionRow["tiers"][number]["state"] | null;
  readonly action: RetentionRow["tiers"][number]["action"];
  readonly reasons: readonly string[];
  readonly heldUntil?: string;
}

export function databasePage({ health, orphan, runs, plan, marks, history, now }: DatabasePageInput): DatabasePage {
  const from = new Date(now.getTime() - SHOWN_MS).toISOString();
  const shown = runs.filter(({ startedAt }) => startedAt >= from);
  const ended = shown.filter(({ state }) => state !== "running");
  const restores = history.restores(health.name).toReversed();
  return {
    at: now.toISOString(),
    health,
    orphan,
    runs: shown,
    missed: history.missed(health.name).filter(({ at }) => at >= from),
    successRate: ended.length === 0 ? null : ended.filter(({ state }) => state === "ok").length / ended.length,
    recoveryPointSeconds: recoveryPoint(runs, now),
    recoveryTimeSeconds: restores.find(({ outcome }) => outcome === "ok")?.seconds ?? null,
    restores,
    retention: retentionRows(plan?.decisions ?? [], marks),
  };
}

/**
 * What could have been lost at the worst moment of the last 30 days: the longest time from the beginning of a good backup to
 * that of the next one, or to now. A backup that lies anywhere counts: it can be restored.
 */
export function recoveryPoint(runs: readonly Run[], now: Date): number | null {
  const from = now.getTime() - SHOWN_MS;
  const begun = runs
    .filter(({ stages }) => stages.some(({ stage, outcome }) => stage !== "dump" && outcome === "ok"))
    .map(({ backupId }) => timeOfBackupId(backupId).getTime())
    .filter((time) => time <= now.getTime())
    .toSorted((a, b) => a - b);
  if (begun.length === 0) return null;
  const gaps = begun
    .map((time, index) => ({ end: begun[index + 1] ?? now.getTime(), time }))
    .filter(({ end }) => end >= from)
    .map(({ end, time }) => end - time);
  return Math.round(Math.max(...gaps) / 1000);
}

/** One for each backup, newest first, as decisions come. */
function retentionRows(decisions: readonly PlannedDecision[], marks: Pick<Marks, "keep">): RetentionRow[] {
  const byBackup = [...Map.groupBy(decisions, ({ backupId }) => backupId)];
  return byBackup
    .toSorted(([a], [b]) => (a < b ? 1 : -1))
    .slice(0, MOST_RETAINED)
    .map(([backupId, those]) => ({
      backupId,
      startedAt: timeOfBackupId(backupId).toISOString(),
      bytes: Math.max(...those.map(({ bytes }) => bytes)),
      keep: marks.keep.get(backupId)?.reason ?? null,
      tiers: those.map(({ tier, state, action, reasons, heldUntil = null }) => {
        return { tier, state: state ?? "absent", action, reasons, heldUntil };
      }),
    }));
}
