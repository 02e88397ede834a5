import type { BackupSummary } from "@trivault/backup";
import { isSettled, type RunStatus } from "@trivault/queue";
import type { RunState } from "./schemas.ts";

/** One word for a run, from its jobs. */
export function stateOfRun(run: RunStatus): RunState {
  const [dump] = run.stages;
  if (!isSettled(run)) return dump?.state === "waiting" ? "queued" : "running";
  const failed = run.stages.filter(({ state }) => state === "failed").map(({ stage }) => stage);
  if (failed.length === 0) return "completed";
  return failed.includes("dump") || failed.includes("encrypt") ? "failed" : "incomplete";
}

/** The same from the tiers alone: a copy without a manifest may be in the making or dead, which they cannot tell. */
export function stateOfCopies(copies: BackupSummary["copies"], tiers: number): RunState {
  const complete = copies.filter((copy) => copy.complete).length;
  if (complete === 0) return "unknown";
  return complete === tiers ? "completed" : "incomplete";
}
