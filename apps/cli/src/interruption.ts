import { constants } from "node:os";
import { TrivaultError } from "@trivault/core";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** `npm run` may pass on to us the Ctrl-C that the terminal has sent us already: one keystroke, two signals. */
const SAME_KEYSTROKE_MS = 1000;

export interface Interruption {
  /** Aborted by the first signal, so that the command ends in order; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** 128 + the signal's number, as shells have it; null where none came. */
  exitCode(): number | null;
  stop(): void;
}

export function listenForInterruption(): Interruption {
  const abort = new AbortController();
  let code: number | null = null;
  let since = 0;
  const listener = (signal: NodeJS.Signals) => {
    if (code === null) {
      code = 128 + constants.signals[signal];
      since = performance.now();
      abort.abort(new TrivaultError("CANCELLED", `Stopped by ${signal}.`));
    } else if (performance.now() - since > SAME_KEYSTROKE_MS) process.exit(code);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    signal: abort.signal,
    exitCode: () => code,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
