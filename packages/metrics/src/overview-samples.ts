import type { DatabaseHealth, TierHealth } from "@trivault/maintenance";
import { COPY_STATES, DAY_SECONDS, timeOfBackupId } from "@trivault/core";
import type { DatabaseRow, Overview, TierRow } from "@trivault/monitor";
import type { FamilyName, Sample } from "./families.ts";

const RUN_STATES = ["ok", "incomplete", "failed", "running"] as const;

/** Ages are of `now`, so that an observer that has stopped looking makes nothing seem younger than it is. */
export function overviewSamples({ at, health, databases, tiers }: Overview, now: Date): Sample[] {
  const rows = new Map(databases.map((row) => [row.name, row]));
  const tierRows = new Map(tiers.map((row) => [row.name, row]));
  const copies = health.databases.map((database) => copySamples(database, { now, at: new Date(at) }));
  const safe = health.databases.map((database, index) => database.ok && (copies[index]?.met ?? false));
  return [
    one("trivault_observed_timestamp_seconds", {}, seconds(at)),
    one("trivault_site_safe", {}, flag(health.ok && safe.every(Boolean))),
    ...health.databases.flatMap((database, index) => [
      one("trivault_database_safe", { database: database.name }, flag(safe[index] ?? false)),
      ...databaseSamples(database, rows.get(database.name)),
      ...(copies[index]?.samples ?? []),
    ]),
    ...health.tiers.flatMap((tier) => tierSamples(tier, tierRows.get(tier.name))),
  ];
}

function databaseSamples({ name, objectiveSeconds, nextRun }: DatabaseHealth, row: DatabaseRow | undefined): Sample[] {
  const database = { database: name };
  const last = row?.strip.at(-1);
  return [
    ...known("trivault_database_objective_seconds", database, objectiveSeconds),
    ...known("trivault_database_next_run_timestamp_seconds", database, nextRun && seconds(nextRun)),
    ...(row
      ? [
          one("trivault_database_recent_runs", { ...database, result: "ok" }, row.runsOk),
          one("trivault_database_recent_runs", { ...database, result: "other" }, row.runs - row.runsOk),
        ]
      : []),
    ...(last
      ? [
          one("trivault_database_last_run_timestamp_seconds", database, seconds(last.startedAt)),
          one("trivault_database_last_run_duration_seconds", database, last.seconds),
          ...known("trivault_database_last_run_bytes", database, last.bytes),
          ...RUN_STATES.map((state) =>
            one("trivault_database_last_run_state", { ...database, state }, flag(last.state === state)),
          ),
        ]
      : []),
  ];
}

/** A look at a site takes its time, and has ages in whole seconds. */
const LOOK_SECONDS = 60;

/** What a backup is dated, in seconds; earlier where it was seen before that time (its clock was ahead). */
function begunAt(newestBackupId: string | null, ageSeconds: number | null, at: Date): number | null {
  if (newestBackupId === null) return null;
  const dated = timeOfBackupId(newestBackupId).getTime() / 1000;
  const seen = at.getTime() / 1000 - (ageSeconds ?? 0);
  return seen < dated - LOOK_SECONDS && ageSeconds !== null && ageSeconds > 0 ? seen : dated;
}

function copySamples(
  { name, objectiveSeconds, tiers }: DatabaseHealth,
  { now, at }: { readonly now: Date; readonly at: Date },
): { samples: Sample[]; met: boolean } {
  const samples: Sample[] = [];
  let all = true;
  for (const { tier, ok, newestBackupId, ageSeconds, backups, bytes, lacking } of tiers) {
    const labels = { database: name, tier };
    const begun = begunAt(newestBackupId, ageSeconds, at);
    const age = begun === null ? null : Math.max(0, now.getTime() / 1000 - begun);
    const met = ok && age !== null && (objectiveSeconds === null || age <= objectiveSeconds);
    all &&= met;
    samples.push(
      ...known("trivault_copy_last_success_timestamp_seconds", labels, begun),
      ...known("trivault_copy_age_seconds", labels, age),
      one("trivault_copy_objective_met", labels, flag(met)),
      one("trivault_copy_backups", labels, backups),
      one("trivault_copy_bytes", labels, bytes),
      ...known("trivault_copy_lacking", labels, lacking),
    );
  }
  return { samples, met: all };
}

function tierSamples(health: TierHealth, row: TierRow | undefined): Sample[] {
  const tier = { tier: health.name };
  return [
    one("trivault_tier_reachable", { ...tier, kind: health.kind }, flag(health.reachable)),
    ...known("trivault_tier_scanned_timestamp_seconds", tier, health.scannedAt && seconds(health.scannedAt)),
    one("trivault_tier_bytes", tier, health.bytes),
    ...known("trivault_tier_free_bytes", tier, health.free),
    ...known("trivault_tier_capacity_bytes", tier, health.total),
    ...COPY_STATES.map((state) => one("trivault_tier_copies", { ...tier, state }, health[state])),
    ...known("trivault_tier_latency_seconds", tier, row?.latencySeconds),
    ...known("trivault_tier_growth_bytes_per_second", tier, row?.bytesPerDay && row.bytesPerDay / DAY_SECONDS),
    ...known("trivault_tier_full_timestamp_seconds", tier, row?.fullAt && seconds(row.fullAt)),
    ...known("trivault_tier_cost_per_month", tier, row?.costPerMonth),
    one("trivault_tier_over_budget", tier, flag(health.overBudget)),
  ];
}

export function one(name: FamilyName, labels: Readonly<Record<string, string>>, value: number): Sample {
  return { name, labels, value };
}

/** A series that is not there where nothing is known. */
export function known(
  name: FamilyName,
  labels: Readonly<Record<string, string>>,
  value: number | string | null | undefined,
): Sample[] {
  return typeof value === "number" ? [one(name, labels, value)] : [];
}

export const flag = (yes: boolean) => (yes ? 1 : 0);
const seconds = (iso: string) => Date.parse(iso) / 1000;
