import type { MovingRun, RunStatus, StageStatus } from "@trivault/queue";
import type { Run } from "./views.ts";

/**
 * How a run stands: the one word for it, whether the queue, the audit log or the tiers show it. `queued`: no worker has begun it.
 * `ok`: a complete copy on every tier that shall have one. `incomplete`: the backup is there, but not on every tier. `failed`:
 * there is no backup. `unknown`: no complete copy yet, and nobody can say whether one is being made.
 */
export const RUN_STATES = ["queued", "running", "ok", "incomplete", "failed", "unknown"] as const;
export type RunState = (typeof RUN_STATES)[number];

/** How one stage of a run stands. `retrying`: its last attempt failed, and it waits for the next one. */
export const STAGE_STATES = ["waiting", "active", "retrying", "completed", "failed"] as const;
export type StageState = StageStatus["state"];

/** What there is to judge a backup by, each null where its source knows nothing of it. */
export interface Evidence {
  /** Its jobs, as the queue shows them. */
  readonly jobs: Pick<RunStatus, "stages"> | null;
  /** What the audit log shows of it. */
  readonly recorded: Pick<Run, "state"> | null;
  /** What lies on the tiers. */
  readonly copies: readonly PlacedCopy[] | null;
}

export interface PlacedCopy {
  readonly complete: boolean;
  /** It shall be on this tier. */
  readonly wanted: boolean;
}

/**
 * The state of a backup. Jobs that move come first, as they show what happens now. The audit log says more about what has ended than
 * jobs, which do not know of a copy that maintenance brought later; an audit log without an end says the least.
 */
export function stateOfBackup({ jobs, recorded, copies }: Evidence): RunState {
  const byJobs = jobs && stateOfJobs(jobs);
  if (byJobs !== null && isMoving(byJobs)) return byJobs;
  if (recorded !== null && !isMoving(recorded.state)) return recorded.state;
  return byJobs ?? recorded?.state ?? stateOfCopies(copies ?? []);
}

/** True as long as something will change by itself. */
export function isMoving(state: RunState): boolean {
  return state === "queued" || state === "running";
}

/** By the jobs of a backup, the dump's first; or by those of its copies alone, where its dump is long forgotten. */
export function stateOfJobs({ stages }: Pick<RunStatus, "stages">): RunState {
  const dump = stateIn(stages, "dump");
  if (dump === "failed") return "failed";
  // While the dump is not through, an encryption that failed says nothing: the dump's next attempt is another backup.
  if (dump === "completed" && stateIn(stages, "encrypt") === "failed") return "failed";
  const hasEnded = stages.every(({ state }) => state === "completed" || state === "failed");
  const isDumpAlone = dump !== null && stages.length === 1;
  if (!hasEnded || isDumpAlone) return stages[0]?.state === "waiting" ? "queued" : "running";
  return stages.every(({ state }) => state === "completed") ? "ok" : "incomplete";
}

function stateIn(stages: RunStatus["stages"], name: StageStatus["stage"]): StageState | null {
  return stages.find(({ stage }) => stage === name)?.state ?? null;
}

const BY_JOB = { waiting: "queued", retrying: "queued", active: "running", completed: "ok", failed: "failed" } as const;

/** The state of a backup by its jobs, or of a restore or a verification by its only one. */
export function stateOfMoving(run: MovingRun): RunState {
  return run.kind === "backup" ? stateOfJobs(run) : BY_JOB[run.stages[0]?.state ?? "waiting"];
}

/** From the tiers alone: a copy without a manifest may be in the making or dead, which they cannot show. */
function stateOfCopies(copies: readonly PlacedCopy[]): RunState {
  if (!copies.some(({ complete }) => complete)) return "unknown";
  return copies.every(({ complete, wanted }) => complete || !wanted) ? "ok" : "incomplete";
}
