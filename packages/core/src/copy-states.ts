/**
 * What a copy of a backup on a tier is worth. `complete`: its manifest is signed by a trusted key and all its objects are
 * there in their sizes. `damaged`: the manifest is good, but objects are missing, or their sizes or bytes are not those it
 * lists. `untrusted`: its manifest was read and is no good (not ours, or forged). `partial`: no manifest. `unknown`: it is
 * there and could not be read, so that nothing is known of it: it counts as safe nowhere, and is never deleted or replaced.
 */
export const COPY_STATES = ["complete", "damaged", "untrusted", "partial", "unknown"] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** How many copies are in each state, of none. */
export function countOfStates(states: Iterable<CopyState> = []): Record<CopyState, number> {
  const counts = { complete: 0, damaged: 0, untrusted: 0, partial: 0, unknown: 0 };
  for (const state of states) counts[state]++;
  return counts;
}
