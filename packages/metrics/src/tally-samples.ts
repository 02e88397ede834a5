import type { Sample } from "./families.ts";
import { flag, one } from "./overview-samples.ts";
import type { Tally, TallyRow } from "./tally.ts";

/** Only for the databases and tiers that there are: those of long ago would stay for ever. */
export function tallySamples(
  { rows, missed, deleted }: Tally,
  known: { readonly databases: ReadonlySet<string>; readonly tiers: ReadonlySet<string> },
): Sample[] {
  const wanted = rows.filter(
    ({ database, tier }) => known.databases.has(database) && (tier === "" || known.tiers.has(tier)),
  );
  return [
    ...wanted.flatMap(rowSamples),
    ...[...known.databases].map((database) => one("trivault_missed_runs_total", { database }, missed[database] ?? 0)),
    ...[...known.tiers].map((tier) => one("trivault_deleted_copies_total", { tier }, deleted[tier] ?? 0)),
  ];
}

function rowSamples(row: TallyRow): Sample[] {
  const { database, stage, tier, outcomes, codes, success } = row;
  const labels = { database, stage, tier };
  return [
    ...(["ok", "failed", "refused"] as const)
      .filter((outcome) => outcome !== "refused" || outcomes.refused > 0)
      .map((outcome) => one("trivault_stage_attempts_total", { ...labels, outcome }, outcomes[outcome])),
    ...Object.entries(codes).map(([code, count]) => one("trivault_stage_failures_total", { ...labels, code }, count)),
    one("trivault_stage_bytes_total", labels, row.bytes),
    one("trivault_stage_seconds_total", labels, row.seconds),
    one("trivault_stage_last_ok", labels, flag(row.lastOk)),
    one("trivault_stage_last_timestamp_seconds", labels, row.lastAt / 1000),
    ...(success
      ? [
          one("trivault_stage_last_success_timestamp_seconds", labels, success.at / 1000),
          one("trivault_stage_last_success_duration_seconds", labels, success.seconds),
        ]
      : []),
  ];
}
