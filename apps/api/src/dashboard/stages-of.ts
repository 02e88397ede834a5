import { type StageView, urls } from "@trivault/dashboard";
import type { Run, RunStage } from "@trivault/monitor";
import type { RunStatus } from "@trivault/queue";

/** What the record tells of each stage that a backup has. */
export function stagesOfRecord(run: Run, tiers: readonly string[]): StageView[] {
  const view = (stage: RunStage["stage"], tier: string | null): StageView => {
    const recorded = run.stages.find((each) => each.stage === stage && each.tier === tier);
    if (recorded === undefined) return { ...NOTHING, stage, tier };
    const ok = recorded.outcome === "ok";
    return {
      ...NOTHING,
      stage,
      tier,
      state: ok ? "completed" : "failed",
      bytes: ok ? recorded.bytes : null,
      seconds: recorded.seconds,
      attempts: recorded.attempts,
      problem: ok ? null : (run.problem?.message ?? null),
    };
  };
  return [view("dump", null), view("encrypt", null), ...tiers.map((tier) => view("copy", tier))];
}

interface Surroundings {
  readonly tiers: readonly string[];
  readonly recorded: readonly StageView[] | null;
  /** How large the backup before it was. */
  readonly expected: number | null;
}

/** What the queue tells of them, and the record where the queue has forgotten. */
export function stagesOfJobs(run: RunStatus, { tiers, recorded, expected }: Surroundings): StageView[] {
  const view = (stage: StageView["stage"], tier: string | null): StageView => {
    const job = run.stages.find((each) => (stage === "copy" ? each.tier === tier : each.stage === stage));
    const known = recorded?.find((each) => each.stage === stage && each.tier === tier);
    if (job === undefined || (job.state === "waiting" && known?.state === "completed")) {
      return known ?? { ...NOTHING, stage, tier };
    }
    const end = job.finishedAt ?? new Date();
    return {
      stage,
      tier,
      state: job.state,
      bytes: job.progress?.bytes ?? known?.bytes ?? null,
      total: totalOf(job.progress?.totalBytes, expected),
      segments: job.progress?.segments ?? null,
      seconds: job.startedAt === null ? null : (end.getTime() - job.startedAt.getTime()) / 1000,
      attempts: job.attempts,
      problem: job.state === "completed" ? null : job.problem,
      job: job.startedAt === null && job.state === "waiting" ? null : urls.job(job.stage, jobId(run, stage, tier)),
    };
  };
  return [view("dump", null), view("encrypt", null), ...tiers.map((tier) => view("copy", tier))];
}

function totalOf(known: number | undefined, expected: number | null): StageView["total"] {
  if (known !== undefined) return { bytes: known, guessed: false };
  return expected === null ? null : { bytes: expected, guessed: true };
}

const NOTHING = {
  state: "waiting",
  bytes: null,
  total: null,
  segments: null,
  seconds: null,
  attempts: 0,
  problem: null,
  job: null,
} as const;

/** As packages/queue names its jobs. */
function jobId({ runId, backupId }: RunStatus, stage: StageView["stage"], tier: string | null): string {
  if (stage === "dump" || backupId === null) return runId;
  return stage === "encrypt" ? backupId : `${backupId}.${tier}`;
}
