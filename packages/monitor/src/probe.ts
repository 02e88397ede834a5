import { setTimeout as sleep } from "node:timers/promises";
import { directoryOf, messageOf, unlessAborted } from "@trivault/core";
import type { Tier } from "@trivault/storage";

/** The outcome of the last small request to a tier. */
export interface ProbeState {
  /** How long it took; null: not asked yet, or no answer. */
  readonly latencySeconds: number | null;
  readonly capacity: { readonly free: number; readonly total: number } | null;
  /** Set once it has not answered twice in a row. */
  readonly silent: { readonly since: Date; readonly reason: string } | null;
}

export interface Probe {
  state(): ProbeState;
}

const TIMES = {
  everyMs: 120_000,
  /** After a question without an answer. */
  againMs: 20_000,
  answerMs: 20_000,
};
/** One may be lost by chance. */
const SILENT_AFTER = 2;

/** Asks a tier something small from now on, every two minutes, until the signal aborts. Nobody waits for it. */
export function startProbe(tier: Tier, now: () => Date, signal: AbortSignal, times = TIMES): Probe {
  let state: ProbeState = { latencySeconds: null, capacity: null, silent: null };
  let failures = 0;
  let since = now();
  const ask = async () => {
    const begun = performance.now();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(times.answerMs)]);
    try {
      const capacity = await unlessAborted(limit, question(tier, limit));
      failures = 0;
      state = { latencySeconds: Math.round(performance.now() - begun) / 1000, capacity, silent: null };
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === 1) since = now();
      const reason = limit.aborted ? `no answer within ${times.answerMs / 1000} s` : messageOf(error);
      state = { ...state, latencySeconds: null, silent: failures < SILENT_AFTER ? state.silent : { since, reason } };
    }
  };
  const loop = async () => {
    while (!signal.aborted) {
      await ask();
      await sleep(failures > 0 ? times.againMs : times.everyMs, undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    }
  };
  void loop();
  return { state: () => state };
}

/** Asks for the capacity; where a tier reports none, for the listing of a folder that does not exist. */
async function question(tier: Tier, signal: AbortSignal): Promise<ProbeState["capacity"]> {
  const capacity = await tier.store.capacity({ signal });
  if (capacity !== null) return capacity;
  for await (const _object of tier.store.list(`${directoryOf("trivault-latency")}/`, { signal })) break;
  return null;
}
