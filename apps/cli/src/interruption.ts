import { constants } from "node:os";
import { ENDS_WITHIN_MS, onMistake, TrivaultError } from "@trivault/core/basics";
import { EXIT } from "./exit-codes.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** `npm run` may pass on to us the Ctrl-C that the terminal has sent us already: one keystroke, two signals. */
const SAME_KEYSTROKE_MS = 1000;

export interface Interruption {
  /**
   * Aborted by the first signal, so that the command ends in order; a second one ends the process at once. So it is by a
   * mistake of this program that nobody has caught.
   */
  readonly signal: AbortSignal;
  /** 128 + the signal's number, as shells have it, or 1 after a mistake; null where none came. */
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
  const forgetMistakes = onMistake((error) => {
    if (code !== null) return; // on its way already
    code = EXIT.failed;
    abort.abort(error);
    setTimeout(() => process.exit(EXIT.failed), ENDS_WITHIN_MS).unref();
  });
  return {
    signal: abort.signal,
    exitCode: () => code,
    stop: () => {
      forgetMistakes();
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
