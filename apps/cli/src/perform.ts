import { hidePasswords, messageOf, TrivaultError } from "@trivault/core/basics";
import { CommanderError } from "commander";
import { EXIT } from "./exit-codes.ts";
import { listenForInterruption } from "./interruption.ts";
import { printJson, say } from "./output.ts";

export interface Running {
  readonly signal: AbortSignal;
  /** Print the result as one JSON value. */
  readonly json: boolean;
}

/** Carries out one command: its result is its exit code; an error is one paragraph on stderr, and no stack. */
export async function perform(
  options: { readonly json?: boolean },
  command: (running: Running) => Promise<number>,
): Promise<void> {
  const interruption = listenForInterruption();
  const json = options.json ?? false;
  let code: number;
  try {
    code = await command({ signal: interruption.signal, json });
    // Whatever it thought that it did, a mistake that nobody caught is in the way of saying so.
    if (code === EXIT.ok && interruption.exitCode() === EXIT.failed) throw interruption.signal.reason;
  } catch (error) {
    if (error instanceof CommanderError) throw error; // a mistake of the command line, reported already
    code = EXIT.failed;
    report(interruption.signal.aborted && !isCancellation(error) ? interruption.signal.reason : error, json);
  } finally {
    interruption.stop();
  }
  process.exitCode = code === EXIT.ok ? code : (interruption.exitCode() ?? code);
}

/** Whatever else fails while everything is being ended is only a consequence of that. */
function isCancellation(error: unknown): boolean {
  return error instanceof TrivaultError && error.code === "CANCELLED";
}

function report(error: unknown, json: boolean): void {
  const known = error instanceof TrivaultError;
  const message = hidePasswords(
    known
      ? error.message
      : `An unexpected error, which is a mistake of this program: ${messageOf(error)}. Please report it; LOG_LEVEL=debug shows where it comes from.`,
  );
  say(message);
  if (!known && process.env.LOG_LEVEL === "debug" && error instanceof Error) say(error.stack ?? "");
  if (json) printJson({ error: { code: known ? error.code : "UNEXPECTED", message } });
}
