import { setTimeout as sleep } from "node:timers/promises";

/** How often followers look at the files of the stage before them. A look costs microseconds; inotify does not see NFS. */
const POLL_MS = 25;

/** Leases beat once a second, and nobody hurries to give a run up: every how many looks a follower checks them. */
export const LOOKS_PER_CHECK = 20;

/** One short pause between two looks; rejects with the signal's reason as soon as it aborts. */
export async function pause(signal: AbortSignal): Promise<void> {
  await sleep(POLL_MS, undefined, { signal }).catch((error: unknown) => {
    throw signal.reason ?? error;
  });
}
