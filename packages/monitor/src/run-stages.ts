import type { QueueName } from "@trivault/core";
import type { RunStatus, StageStatus } from "@trivault/queue";
import type { StageState } from "./run-state.ts";
import type { Run, RunStage } from "./views.ts";

/** One stage of a backup, from the queue while it knows it, and from the audit log afterwards. */
export interface StageView {
  readonly stage: RunStage["stage"];
  /** For copies: where to. */
  readonly tier: string | null;
  readonly state: StageState;
  readonly bytes: number | null;
  /** `guessed`: as large as the backup before it. */
  readonly total: { readonly bytes: number; readonly guessed: boolean } | null;
  readonly segments: number | null;
  readonly seconds: number | null;
  readonly attempts: number;
  readonly problem: string | null;
  /** Where the queue knows it. */
  readonly job: { readonly queue: QueueName; readonly id: string } | null;
}

export interface StageSources {
  readonly jobs: Pick<RunStatus, "stages"> | null;
  readonly recorded: Pick<Run, "stages" | "problem"> | null;
  /** The tiers that it is to be copied to. */
  readonly tiers: readonly string[];
  /** How large the backup before it was. */
  readonly expected: number | null;
  readonly now: Date;
}

/** Every stage that a backup has; none where neither the queue nor the audit log knows it. */
export function stagesOf(sources: StageSources): StageView[] {
  if (sources.jobs === null && sources.recorded === null) return [];
  const wanted: readonly (readonly [StageView["stage"], string | null])[] = [
    ["dump", null],
    ["encrypt", null],
    ...sources.tiers.map((tier) => ["copy", tier] as const),
  ];
  return wanted.map(([stage, tier]) => {
    const recorded = recordedStage(sources.recorded, stage, tier);
    const job = sources.jobs?.stages.find((each) => (stage === "copy" ? each.tier === tier : each.stage === stage));
    // A job that is not there yet looks as if it waited.
    const known = job === undefined || (job.state === "waiting" && recorded?.state === "completed") ? null : job;
    if (known !== null) return { stage, tier, ...viewOfJob(known, recorded, sources) };
    return recorded ?? { ...NOTHING, stage, tier };
  });
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

function recordedStage(
  run: StageSources["recorded"],
  stage: StageView["stage"],
  tier: string | null,
): StageView | null {
  const ended = run?.stages.find((each) => each.stage === stage && each.tier === tier);
  if (ended === undefined) return null;
  const ok = ended.outcome === "ok";
  return {
    ...NOTHING,
    stage,
    tier,
    state: ok ? "completed" : "failed",
    bytes: ok ? ended.bytes : null,
    seconds: ended.seconds,
    attempts: ended.attempts,
    problem: ok ? null : (run?.problem?.message ?? null),
  };
}

function viewOfJob(job: StageStatus, recorded: StageView | null, { expected, now }: StageSources) {
  const { state, attempts, progress, startedAt, finishedAt } = job;
  return {
    state,
    bytes: progress?.bytes ?? recorded?.bytes ?? null,
    total: totalOf(progress?.totalBytes, expected),
    segments: progress?.segments ?? null,
    seconds: startedAt === null ? null : ((finishedAt ?? now).getTime() - startedAt.getTime()) / 1000,
    attempts,
    problem: state === "completed" ? null : job.problem,
    job: startedAt === null && state === "waiting" ? null : { queue: job.stage, id: job.id },
  };
}

function totalOf(known: number | undefined, expected: number | null): StageView["total"] {
  if (known !== undefined) return { bytes: known, guessed: false };
  return expected === null ? null : { bytes: expected, guessed: true };
}
