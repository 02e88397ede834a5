/**
 * Runs `work` for each item that `items` yields, at most `limit` at a time, and returns what the generator returned. The
 * first failure aborts the others; the call settles only when all have ended, so that nothing runs on behind its back.
 */
export async function forEachConcurrently<T, R>(
  items: (signal: AbortSignal) => AsyncGenerator<T, R>,
  options: { readonly limit: number; readonly signal: AbortSignal },
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<R> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const running = new Set<Promise<void>>();
  const start = (item: T) => {
    const task: Promise<void> = work(item, signal)
      .catch((error: unknown) => failed.abort(error))
      .finally(() => running.delete(task));
    running.add(task);
  };
  const generator = items(signal);
  try {
    for (;;) {
      const next = await generator.next();
      signal.throwIfAborted();
      if (next.done) {
        await Promise.all(running);
        signal.throwIfAborted();
        return next.value;
      }
      while (running.size >= options.limit) await Promise.race(running);
      signal.throwIfAborted();
      start(next.value);
    }
  } catch (error) {
    failed.abort(error);
    await Promise.all(running);
    throw failed.signal.reason ?? error;
  } finally {
    await generator.return(undefined as R);
  }
}
