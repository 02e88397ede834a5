/**
 * What was rejected while nobody had a handler on it, from this call on. Node ends a process on the spot for that, be there a
 * handler a moment later; Jest fails a test only where none ever comes.
 */
export function watchRejections(): Disposable & { readonly seen: readonly unknown[] } {
  const seen: unknown[] = [];
  const listener = (reason: unknown) => void seen.push(reason);
  process.on("unhandledRejection", listener);
  return { seen, [Symbol.dispose]: () => void process.off("unhandledRejection", listener) };
}
