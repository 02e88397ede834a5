import { timeOfBackupId } from "@trivault/core";
import type { Rules } from "./world.ts";

/** What a policy of `hourly` and `daily` buckets leaves of a history: written anew here, to be compared with the planner. */
export function expectedBackups(
  ids: readonly string[],
  { hourly, daily, timeZone }: Pick<Rules, "hourly" | "daily" | "timeZone">,
): string[] {
  const local = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    timeZoneName: "longOffset",
  });
  const newestFirst = [...ids].toSorted().toReversed();
  const labels = newestFirst.map((id) => {
    const parts = Object.fromEntries(local.formatToParts(timeOfBackupId(id)).map(({ type, value }) => [type, value]));
    const day = `${parts["year"]}-${parts["month"]}-${parts["day"]}`;
    return { id, day, hour: `${day} ${parts["hour"]} ${parts["timeZoneName"]}` };
  });
  const kept = new Set<string>();
  for (const [bucket, count] of [
    ["hour", hourly],
    ["day", daily],
  ] as const) {
    const newestOf = new Map<string, string>();
    for (const label of labels) if (!newestOf.has(label[bucket])) newestOf.set(label[bucket], label.id);
    for (const id of [...newestOf.values()].slice(0, count)) kept.add(id);
  }
  return [...kept].toSorted();
}
