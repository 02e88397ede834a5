import { setTimeout as sleep } from "node:timers/promises";

/** Ends early, and well, where the signal does. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
