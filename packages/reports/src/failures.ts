import type { ReportRun } from "./report-runs.ts";
import type { Failure } from "./report.ts";

/** The newest groups that are reported; what failed in more ways than these has one cause that is among them. */
const MOST_GROUPS = 50;

export type FailureGroup = Omit<Failure, "advice">;

/** A run that failed, or did not reach every tier, and why. */
export type FailedRun = ReportRun & { readonly failure: NonNullable<ReportRun["failure"]> };

export function isFailure(run: ReportRun): run is FailedRun {
  return run.failure !== null;
}

/**
 * Runs that failed for the same reason in the same place are one failure; the one with the most runs comes first.
 * `lastGood`: when the newest run of a database was begun that succeeded.
 */
export function groupFailures(failed: readonly FailedRun[], lastGood: ReadonlyMap<string, number>): FailureGroup[] {
  const groups = Map.groupBy(failed, ({ database, failure: { code, message, stage, tier } }) =>
    [code, stage, tier, sameText(message, database)].join("\n"),
  );
  const reported = [...groups.values()].flatMap((those): FailureGroup[] => {
    const sorted = those.toSorted((a, b) => a.startedAt - b.startedAt);
    const [first, last] = [sorted[0], sorted.at(-1)];
    if (first === undefined || last === undefined) return [];
    const newest = new Map(sorted.map(({ database, startedAt }) => [database, startedAt]));
    return [
      {
        ...last.failure,
        runs: those.length,
        databases: [...newest.keys()].toSorted(),
        firstAt: new Date(first.startedAt).toISOString(),
        lastAt: new Date(last.startedAt).toISOString(),
        recovered: [...newest].every(([database, at]) => (lastGood.get(database) ?? 0) > at),
      },
    ];
  });
  return reported.toSorted((a, b) => b.runs - a.runs || (a.lastAt < b.lastAt ? 1 : -1)).slice(0, MOST_GROUPS);
}

/** Without what differs from run to run and database to database: ids, numbers, names. */
function sameText(message: string, database: string): string {
  return message
    .replaceAll(database, "#")
    .replaceAll(/\b\d{8}t\d{6}z-[0-9a-z]{8}\b/g, "#")
    .replaceAll(/"[^"]*"/g, "#")
    .replaceAll(/\d+(?:[.,:]\d+)*/g, "#");
}
