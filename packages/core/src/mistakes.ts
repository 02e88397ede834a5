/**
 * Calls `listener` for what nobody has caught: an exception, or a rejection that no promise's holder awaits. Node would end
 * the process on the spot, with its children's plaintext in the spool and its leases held; whoever listens ends it in order,
 * and with a status that is not 0. Returns what takes the listener away again.
 */
export function onMistake(listener: (error: unknown) => void): () => void {
  process.on("uncaughtException", listener);
  process.on("unhandledRejection", listener);
  return () => {
    process.off("uncaughtException", listener);
    process.off("unhandledRejection", listener);
  };
}

/** What is left to end in order, before the process is ended all the same. */
export const ENDS_WITHIN_MS = 15_000;
