import { background, findReaper, TrivaultError } from "@trivault/core";
import { type Child, type Command, type Outcome, startChild, succeeded } from "./child.ts";

/** Programs joined by the operating system's pipes: `a | b | c`, with every exit status kept. */
export interface Chain {
  readonly children: readonly Child[];
  /**
   * Resolves when all have ended with status 0 (but see `mayStopReading`) and closed their outputs. Rejects otherwise, when all are gone, with the
   * failure that caused the others.
   */
  readonly done: Promise<{ readonly seconds: number }>;
  /** Kills what still runs, stopped or not; resolves when all are gone. */
  kill(): Promise<void>;
}

export interface ChainOptions {
  readonly stdin: "ignore" | "pipe";
  readonly stdout: "ignore" | "pipe";
  readonly signal?: AbortSignal | undefined;
  /** The last program may end, with status 0, before it has read all: those before it may fail for want of a reader then. */
  readonly mayStopReading?: boolean;
  /** Makes the error for the program that failed. */
  readonly failure: (outcome: Outcome) => TrivaultError;
}

const GRACE_MS = 1000;

export async function startChain(commands: readonly Command[], options: ChainOptions): Promise<Chain> {
  const [reaper, gentle] = await Promise.all([findReaper("KILL"), findReaper("TERM")]);
  const cancelled = (): TrivaultError =>
    new TrivaultError("CANCELLED", `${commands[0]?.name ?? "The program"} was cancelled.`, {
      cause: options.signal?.reason,
    });
  if (options.signal?.aborted) throw cancelled();
  // One that talks to a server ends its query there, also where we are killed.
  const reaperOf = ({ endsOn }: Command) => (endsOn === undefined ? reaper : gentle);
  const startedAt = performance.now();
  const children: Child[] = [];
  const killAll = (): void => children.forEach((child) => child.kill());
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    killAll();
  };
  try {
    // All in one turn of the event loop: Node begins to read a child's output in the next, and must not touch these bytes.
    for (const [i, command] of commands.entries()) {
      const previous = children.at(-1)?.process.stdout;
      const last = i === commands.length - 1;
      children.push(startChild(command, previous ?? options.stdin, last ? options.stdout : "pipe", reaperOf(command)));
      // The next program holds its own copy. Ours must go, or the writer would not notice that its reader has died.
      previous?.destroy();
    }
  } catch (cause) {
    killAll();
    throw new TrivaultError("TOOL_MISSING", `A program could not be started (${String(cause)}).`, { cause });
  }

  for (const child of children) {
    // One failure ends the chain: the others wait for input or room that will never come, or are stopped. Not at once, so
    // that those it drags along, and the one that broke its pipe, still end with a status of their own.
    child.process.on("exit", (code) => {
      if (code !== 0) setTimeout(killAll, GRACE_MS).unref();
    });
  }
  await Promise.all(children.map((child) => child.bound));
  const outcomes = background(Promise.all(children.map((child) => child.outcome)));
  options.signal?.addEventListener("abort", stop, { once: true });
  const verdict = outcomes.then((ended) => {
    options.signal?.removeEventListener("abort", stop);
    if (ended.every(succeeded) || (options.mayStopReading === true && stoppedReading(ended)))
      return { seconds: (performance.now() - startedAt) / 1000 };
    if (stopping) throw cancelled();
    throw options.failure(rootCause(ended));
  });
  return {
    children,
    done: background(verdict), // whoever holds the chain awaits it in its own time
    async kill() {
      stop();
      await outcomes;
    },
  };
}

/**
 * The first program that failed by itself: not killed by us, and not merely because a later one had gone. (The pipes are
 * Unix sockets; one that closes with bytes unread shows as a reset.)
 */
function rootCause(outcomes: readonly Outcome[]): Outcome {
  const failed = outcomes.filter((outcome) => !succeeded(outcome) && !outcome.killed);
  const cause = failed.find((outcome, i) => i === failed.length - 1 || !lostItsReader(outcome));
  if (!cause) throw new RangeError("no program failed");
  return cause;
}

function stoppedReading(outcomes: readonly Outcome[]): boolean {
  const last = outcomes.at(-1);
  return last !== undefined && succeeded(last) && outcomes.every((each) => succeeded(each) || lostItsReader(each));
}

function lostItsReader({ signal, stderr }: Outcome): boolean {
  return signal === "SIGPIPE" || /broken pipe|connection reset by peer/i.test(stderr);
}
