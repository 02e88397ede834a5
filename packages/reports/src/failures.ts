import type { Run, RunStage } from "@trivault/monitor";
import type { Failure } from "./report.ts";

/** The newest groups that are told; what failed in more ways than these has one cause that is among them. */
const MOST_GROUPS = 50;

export type UntoldFailure = Omit<Failure, "advice">;

export function isFailure({ state, problem }: Run): boolean {
  return problem !== null && (state === "failed" || state === "incomplete");
}

/**
 * Runs that failed for the same reason in the same place are one failure; the one with the most runs comes first.
 * `lastGood`: when the newest run of a database was begun that ended well.
 */
export function groupFailures(failed: readonly Run[], lastGood: ReadonlyMap<string, string>): UntoldFailure[] {
  const groups = Map.groupBy(failed, (run) => {
    const { stage, tier } = placeOf(run);
    return [run.problem?.code, stage, tier, sameText(run.problem?.message ?? "", run.database)].join("\n");
  });
  const told = [...groups.values()].map((those): UntoldFailure => {
    const sorted = those.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    const [first, last] = [sorted[0] as Run, sorted.at(-1) as Run];
    const { stage, tier } = placeOf(last);
    const newest = new Map(sorted.map(({ database, startedAt }) => [database, startedAt]));
    return {
      code: last.problem?.code ?? "UNKNOWN",
      stage,
      tier,
      message: last.problem?.message ?? "",
      runs: those.length,
      databases: [...newest.keys()].toSorted(),
      firstAt: first.startedAt,
      lastAt: last.startedAt,
      recovered: [...newest].every(([database, at]) => (lastGood.get(database) ?? "") > at),
    };
  });
  return told.toSorted((a, b) => b.runs - a.runs || (a.lastAt < b.lastAt ? 1 : -1)).slice(0, MOST_GROUPS);
}

/** The stage that failed last; a dump that left nothing behind failed as a dump. */
function placeOf({ stages }: Run): { stage: RunStage["stage"]; tier: string | null } {
  const failed = stages.findLast(({ outcome }) => outcome !== "ok");
  return { stage: failed?.stage ?? "dump", tier: failed?.stage === "copy" ? failed.tier : null };
}

/** Without what differs from run to run and database to database: ids, numbers, names. */
function sameText(message: string, database: string): string {
  return message
    .replaceAll(database, "#")
    .replaceAll(/\b\d{8}t\d{6}z-[0-9a-z]{8}\b/g, "#")
    .replaceAll(/"[^"]*"/g, "#")
    .replaceAll(/\d+(?:[.,:]\d+)*/g, "#");
}
