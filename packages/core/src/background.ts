/**
 * Work that is begun now and joined later. A promise that is kept in a variable is kept by this: a failure waits for whoever
 * joins it, instead of ending the process as an unhandled rejection meanwhile. `onFailure` is called at once, for what must
 * not wait that long.
 */
export function background<T>(work: Promise<T>, onFailure: (error: unknown) => void = () => undefined): Promise<T> {
  work.catch(onFailure);
  return work;
}

/** Waits for work no longer than until `signal` aborts, and throws its reason then. The work itself goes on. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const begun = background(work);
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([begun, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Work that did not end in time. */
export class LateError extends Error {
  override readonly name = "LateError";
}

/** Waits for work no longer than `ms`; throws LateError then. The work itself goes on. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const begun = background(work);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new LateError(`no answer within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([begun, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
