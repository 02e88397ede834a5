import { formatBytes, formatDuration } from "@trivault/core";
import { EXIT } from "../../exit-codes.ts";
import { formatSeconds, print, printJson, say } from "../../output.ts";
import type { Task } from "../../progress.ts";

/** What `run` shows of one stage, whether it ran here or on a worker. */
export interface StageReport {
  readonly stage: string;
  /** For copies: where to. */
  readonly tier: string | null;
  readonly state: Task["state"];
  readonly bytes: number;
  readonly seconds: number | null;
  readonly problem: string | null;
}

export interface RunReport {
  readonly mode: "inline" | "queue";
  readonly database: string;
  readonly runId: string | null;
  readonly backupId: string | null;
  /** Null: enqueued, not waited for. */
  readonly ok: boolean | null;
  /** False where the idempotency key was seen before. */
  readonly created: boolean;
  /** One that somebody else asked for waits already, and serves this request as well. */
  readonly joined: boolean;
  /** Queues that this backup needs and no worker listens to. */
  readonly queuesWithoutWorker: readonly string[];
  readonly stages: readonly StageReport[];
}

export function stageName({ stage, tier }: { stage: string; tier: string | null }): string {
  return tier === null ? stage : `copy to ${tier}`;
}

interface ReportOptions {
  readonly json: boolean;
  readonly maintenanceMinutes: number;
}

/** Prints how a finished run went; its exit code. */
export function reportOutcome(run: RunReport, { json, maintenanceMinutes }: ReportOptions): number {
  for (const line of problems(run.stages)) say(line);
  if (json) printJson(run);
  else if (run.ok) {
    const copies = run.stages.filter(({ tier }) => tier !== null).map(({ tier }) => tier);
    const local = run.stages.find(({ stage }) => stage === "encrypt");
    const seconds = Math.max(...run.stages.map((stage) => stage.seconds ?? 0));
    print(
      `Backup ${run.backupId} of ${run.database} is complete: ${formatBytes(local?.bytes ?? 0)} in ${formatSeconds(seconds)}, on ${["local", ...copies].join(", ")}.`,
    );
  } else print(incomplete(run, maintenanceMinutes));
  return run.ok ? EXIT.ok : EXIT.failed;
}

function incomplete({ database, backupId, stages }: RunReport, maintenanceMinutes: number): string {
  const made = stages.some(({ stage, state }) => stage === "encrypt" && state === "completed");
  if (!made || backupId === null) return `The backup of ${database} failed; nothing of it is left.`;
  const missing = stages.filter(({ tier, state }) => tier !== null && state !== "completed").map(({ tier }) => tier);
  return (
    `Backup ${backupId} of ${database} is complete on the local tier, but not on ${missing.join(", ")}. ` +
    `A worker's maintenance (every ${formatDuration(60 * maintenanceMinutes)}) brings what is missing once the tier can be reached.`
  );
}

/** A stage that was only dragged along by another one's failure says nothing of its own. */
function problems(stages: readonly StageReport[]): string[] {
  const failed = stages.filter(({ state, problem }) => state === "failed" && problem !== null);
  const own = failed.filter(({ problem }) => !problem?.startsWith("This backup was given up"));
  return (own.length > 0 ? own : failed).map((stage) => `${stageName(stage)} failed: ${stage.problem}`);
}
