import { background } from "@trivault/core";
import { cancelled } from "./store-errors.ts";

/** How long a cancelled call may take to clean up after itself before it ends without. */
const CLEAN_UP_MS = 2_000;

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/**
 * `work`, which watches `signal` itself and cleans up; ends soon after an abort even where `work` hangs on a dead peer or
 * a silent source.
 */
export async function endOnAbort<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (!signal) return work();
  throwIfAborted(signal);
  let timer: NodeJS.Timeout | undefined;
  let onAbort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(cancelled(signal)), CLEAN_UP_MS);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The items of `iterable` until `signal` aborts, even while it is silent. The iterable cleans up either way. */
export async function* untilAborted<T>(iterable: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (!signal) {
    yield* iterable;
    return;
  }
  throwIfAborted(signal);
  const iterator = iterable[Symbol.asyncIterator]();
  const abortion = Promise.withResolvers<never>();
  const aborted = background(abortion.promise);
  const onAbort = () => abortion.reject(cancelled(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  let done = false;
  try {
    for (;;) {
      const result = await Promise.race([iterator.next(), aborted]);
      if (result.done) {
        done = true;
        return;
      }
      yield result.value;
      throwIfAborted(signal);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!done) {
      const ended = background(Promise.resolve(iterator.return?.()));
      // A generator answers only after its pending step; on an abort that step may hang, so nobody waits for it.
      if (!signal.aborted) await ended;
    }
  }
}
