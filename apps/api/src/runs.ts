import { codeOf, messageOf } from "@trivault/core";
import { type RunStatus, runStatus } from "@trivault/queue";
import type { ApiDeps } from "./deps.ts";

export interface RunLookUp {
  readonly queue: "known" | "forgotten" | "unreachable";
  readonly run: RunStatus | null;
  /** Why the queue could not be asked. */
  readonly reason: string | null;
}

/** What the queue knows of a run. That it is away is an answer too, since the tiers show the rest. */
export async function lookUpRun({ config, queues }: ApiDeps, id: string): Promise<RunLookUp> {
  try {
    const run = await runStatus(queues, config, id);
    return { queue: run === null ? "forgotten" : "known", run, reason: null };
  } catch (error) {
    if (codeOf(error) !== "QUEUE_UNREACHABLE") throw error;
    return { queue: "unreachable", run: null, reason: messageOf(error) };
  }
}
