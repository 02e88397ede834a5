import { type DatabaseConfig, DAY_MS, timeOfBackupId, writeUtc } from "@trivault/core";
import type { LastRun } from "./history.ts";
import { nextRunOf, objectiveOf } from "./objective.ts";
import type { DatabaseHealth, DatabaseTierHealth } from "./report.ts";
import { type HeldCopy, summaryOf } from "../inventory/holdings.ts";
import { effectiveTime } from "../inventory/seen-at.ts";

/** A backup that is dated further ahead was made by a clock that was wrong; it would look new for years. */
export const FUTURE_MS = DAY_MS;

export interface DatabaseFacts {
  /** Its copies on a tier, as far as is known, oldest first. */
  readonly copiesOn: (tier: string) => readonly HeldCopy[];
  readonly unknownTiers: ReadonlySet<string>;
  /** Its copies that shall be there and are not. */
  readonly lacking: readonly { readonly tier: string }[];
  readonly lastRun: LastRun | null;
  readonly spreadSeconds: number;
  readonly now: Date;
}

/** What health looks at of a database's configuration. */
export type CheckedDatabase = Pick<DatabaseConfig, "name" | "schedule" | "objectiveSeconds" | "tiers">;

export function checkDatabase(database: CheckedDatabase, facts: DatabaseFacts): DatabaseHealth {
  const { name } = database;
  const { now, lastRun } = facts;
  const objective = objectiveOf(database, now);
  const tiers = database.tiers.map((tier) => checkTier(tier, objective, facts));
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

function checkTier(tier: string, objective: number | null, facts: DatabaseFacts): DatabaseTierHealth {
  const { unknownTiers, lacking, now } = facts;
  const copies = facts.copiesOn(tier);
  const limit = now.getTime() + FUTURE_MS;
  const newest = newestOf(copies, limit);
  const summary = summaryOf(copies);
  const age = newest === null ? null : Math.max(0, (now.getTime() - effectiveTime(newest)) / 1000);
  return {
    tier,
    ok: age !== null && (objective === null || age <= objective),
    newestBackupId: newest?.backupId ?? null,
    ageSeconds: age === null ? null : Math.round(age),
    backups: summary.states.complete,
    unknown: summary.states.unknown,
    bytes: summary.goodBytes,
    lacking: unknownTiers.has(tier) ? null : lacking.filter((copy) => copy.tier === tier).length,
  };
}

/** The one whose data is the newest; of copies that are oldest first by what they are dated. */
function newestOf(copies: readonly HeldCopy[], limit: number): HeldCopy | null {
  let newest: HeldCopy | null = null;
  for (let index = copies.length - 1; index >= 0; index--) {
    const copy = copies[index];
    if (copy === undefined) continue;
    const dated = timeOfBackupId(copy.backupId).getTime();
    if (newest !== null && dated <= effectiveTime(newest)) break;
    const good = copy.state === "complete" && dated <= limit;
    if (good && (newest === null || effectiveTime(copy) > effectiveTime(newest))) newest = copy;
  }
  return newest;
}

function problemOf(name: string, tiers: readonly DatabaseTierHealth[], lastRun: LastRun | null): string | null {
  const bad = tiers.filter(({ ok }) => !ok);
  if (bad.length === 0) return null;
  const failed = lastRun?.outcome === "failed" ? `; its last run failed: ${lastRun.problem ?? "no reason given"}` : "";
  const none = bad.every(({ newestBackupId, unknown }) => newestBackupId === null && unknown === 0);
  if (bad.length === tiers.length && none) {
    return `${name} has no backup${failed}`;
  }
  // Tiers that lack the same say so together.
  const bySince = Map.groupBy(bad, ({ newestBackupId }) => newestBackupId);
  const parts = [...bySince].map(([newest, those]) => {
    const where = those.map(({ tier }) => tier).join(" and ");
    return newest === null ? `no copy on ${where}` : `no newer copy on ${where} than that of ${timeText(newest)}`;
  });
  const unread = bad
    .filter(({ unknown }) => unknown > 0)
    .map(({ tier, unknown }) => `; ${unknown === 1 ? "1 copy" : `${unknown} copies`} on ${tier} could not be read`);
  return `${name} has ${parts.join(" and ")}${unread.join("")}${failed}`;
}

function timeText(backupId: string): string {
  return writeUtc("en", timeOfBackupId(backupId));
}
