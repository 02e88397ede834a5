import { setTimeout as sleep } from "node:timers/promises";

/** How often followers look at the files of the stage before them. A look costs microseconds; inotify does not see NFS. */
const POLL_MS = 25;

/** One short pause between two looks; rejects as soon as `signal` aborts. */
export async function pause(signal: AbortSignal): Promise<void> {
  await sleep(POLL_MS, undefined, { signal });
}
