import { silentLogger } from "@trivault/core";
import type { JobContext, JobHandle } from "@trivault/queue";

/** What a queue gives to a job of its first attempt; nobody hears what the job says. */
export const silentContext: JobContext = {
  signal: new AbortController().signal,
  log: silentLogger(),
  note: () => undefined,
  progress: () => undefined,
  attempt: 1,
  isRetried: () => false,
};

export const jobHandle = (id: string, isTakenOver = false): JobHandle => ({
  id,
  priority: 0,
  isTakenOver,
  update: async () => undefined,
  begun: async () => undefined,
});
