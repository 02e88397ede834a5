import type { RecordedEvent } from "@trivault/audit";
import { type DatabaseConfig, timeOfBackupId } from "@trivault/core";
import type { Decision } from "@trivault/retention";
import { nextRunOf, objectiveOf } from "./health-objective.ts";
import type { DatabaseHealth, DatabaseTierHealth } from "./health-report.ts";
import type { Inventory } from "./inventory.ts";

/** A backup that is dated further ahead was made by a clock that was wrong; it would look new for years. */
const FUTURE_MS = 86_400_000;

export interface DatabaseFacts {
  readonly inventories: readonly Inventory[];
  readonly unknownTiers: ReadonlySet<string>;
  readonly lacking: readonly Decision[];
  readonly lastRun: RecordedEvent | null;
  readonly spreadSeconds: number;
  readonly now: Date;
}

export function checkDatabase(database: DatabaseConfig, facts: DatabaseFacts): DatabaseHealth {
  const { name } = database;
  const { now, lastRun } = facts;
  const objective = objectiveOf(database, now);
  const tiers = database.tiers.map((tier) => checkTier(name, tier, objective, facts));
  return {
    name,
    ok: tiers.every(({ ok }) => ok),
    objectiveSeconds: objective,
    nextRun: nextRunOf(database, facts.spreadSeconds, now)?.toISOString() ?? null,
    lastRun: lastRun && { outcome: lastRun.outcome, at: lastRun.at.toISOString() },
    tiers,
    problem: problemOf(name, tiers, lastRun),
  };
}

function checkTier(name: string, tier: string, objective: number | null, facts: DatabaseFacts): DatabaseTierHealth {
  const { inventories, unknownTiers, lacking, now } = facts;
  const copies = inventories.find((inventory) => inventory.tier === tier)?.copies ?? [];
  const good = copies.filter(({ database, state }) => database === name && state === "complete");
  const limit = now.getTime() + FUTURE_MS;
  const newest = good
    .filter(({ backupId }) => timeOfBackupId(backupId).getTime() <= limit)
    .reduce<string | null>((a, { backupId: b }) => (a !== null && a > b ? a : b), null);
  const age = newest === null ? null : Math.max(0, (now.getTime() - timeOfBackupId(newest).getTime()) / 1000);
  return {
    tier,
    ok: age !== null && (objective === null || age <= objective),
    newestBackupId: newest,
    ageSeconds: age === null ? null : Math.round(age),
    backups: good.length,
    bytes: good.reduce((sum, { bytes }) => sum + bytes, 0),
    lacking: unknownTiers.has(tier)
      ? null
      : lacking.filter((decision) => decision.tier === tier && decision.database === name).length,
  };
}

function problemOf(name: string, tiers: readonly DatabaseTierHealth[], lastRun: RecordedEvent | null): string | null {
  const bad = tiers.filter(({ ok }) => !ok);
  if (bad.length === 0) return null;
  const failed =
    lastRun?.outcome === "failed" ? `; its last run failed: ${lastRun.error?.message ?? "no reason told"}` : "";
  if (bad.length === tiers.length && bad.every(({ newestBackupId }) => newestBackupId === null)) {
    return `${name} has no backup${failed}`;
  }
  // Tiers that lack the same say so together.
  const bySince = Map.groupBy(bad, ({ newestBackupId }) => newestBackupId);
  const parts = [...bySince].map(([newest, those]) => {
    const where = those.map(({ tier }) => tier).join(" and ");
    return newest === null ? `no copy on ${where}` : `no newer copy on ${where} than that of ${timeText(newest)}`;
  });
  return `${name} has ${parts.join(" and ")}${failed}`;
}

function timeText(backupId: string): string {
  return `${timeOfBackupId(backupId).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
