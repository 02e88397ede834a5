const controller = new AbortController();

/**
 * Aborts with the first SIGINT, SIGTERM or SIGHUP: whatever is being waited for then fails, and every server, folder and
 * namespace is removed on the way out. A second signal ends the process where it stands.
 */
export const interruption = controller.signal;

export function obeySignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(130));
      controller.abort(new Error("The bench was interrupted."));
    });
  }
}
