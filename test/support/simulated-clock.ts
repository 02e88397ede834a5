import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

/**
 * Simulated time, shared by processes through a small file: it runs `rate` times as fast as the real one from `base`, and
 * stands still at `ceiling`, so that a simulated hour lasts at least as long as the machine needs for the hour's work.
 */
const schema = z.object({ base: z.number(), realBase: z.number(), rate: z.number(), ceiling: z.number() });
type State = z.infer<typeof schema>;

const LOOK_EVERY_MS = 50;

export function readClock(file: string): () => Date {
  let state: State | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (state === null || performance.now() - lookedAt > LOOK_EVERY_MS) {
      state = schema.parse(JSON.parse(readFileSync(file, "utf8")));
      lookedAt = performance.now();
    }
    return new Date(Math.min(state.ceiling, state.base + (Date.now() - state.realBase) * state.rate));
  };
}

/** Sets the clock to `from`; it goes on to `ceiling` and stops there. */
export function setClock(file: string, from: Date, ceiling: Date, rate: number): void {
  const state: State = { base: from.getTime(), realBase: Date.now(), rate, ceiling: ceiling.getTime() };
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}
