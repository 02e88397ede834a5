import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { hidePasswords, type Reaper, withPrivateUmask } from "@trivault/core";

export type Env = Readonly<Record<string, string>>;

/** What a child may inherit: how to find programs, libraries and certificates. Never credentials. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"];
const TAIL_LINES = 20;
const TAIL_BYTES = 16 * 1024;

export function childEnv(): Env {
  // Messages in English, so that an operator can search for them and `failure.ts` can read them.
  const env: Record<string, string> = { LC_ALL: "C" };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

export interface Command {
  /** For messages: `pg_dump`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Env;
  /**
   * The signal on which it cancels what it asked of the server, and ends. A client that is just gone is noticed only when the
   * server has something to send: a query behind a lock would wait there for ever. SIGKILL follows where it does not obey.
   */
  readonly endsOn?: "SIGINT" | "SIGTERM";
}

/** What a program has to end by itself. Cancelling is one more connection to the server. */
const END_MS = 3000;

/** How a child ended. Only code 0 without a signal is success. */
export interface Outcome {
  readonly name: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of stderr, passwords hidden. */
  readonly stderr: string;
  /** True where `kill` ended it: its status then says nothing about itself. */
  readonly killed: boolean;
}

export interface Child {
  readonly process: ChildProcess;
  /** Never rejects; resolves after the exit and the end of its output ('close'). */
  readonly outcome: Promise<Outcome>;
  /** Resolves when the program itself runs: from then on it dies with us, and may be stopped. */
  readonly bound: Promise<void>;
  /** Ends it, with its query on the server where it can do that; else by SIGKILL, which a stopped process obeys too. */
  kill(): void;
}

/**
 * Starts a program without a shell, in a process group of its own (Ctrl-C reaches us, not it), bound to die with us where
 * the system can do that. `stdio` lists stdin and stdout; stderr is always ours to read.
 */
export function startChild(command: Command, stdin: StdioOption, stdout: StdioOption, reaper: Reaper): Child {
  const [file = command.file, ...args] = [...reaper, command.file, ...command.args];
  const stdio: StdioOptions = [stdin, stdout, "pipe"];
  const child = withPrivateUmask(() => spawn(file, args, { stdio, env: command.env, detached: true }));
  const tail = boundedTail();
  let killing = false;
  let hurry: NodeJS.Timeout | undefined;
  let spawnError: Error | null = null;
  child.stderr?.on("data", (chunk: Buffer) => tail.add(chunk));
  child.on("error", (error) => (spawnError = error));
  const outcome = new Promise<Outcome>((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(hurry);
      const stderr = spawnError ? `cannot be started: ${spawnError.message}` : tail.text();
      const killed = killing && (command.endsOn !== undefined || signal === "SIGKILL");
      resolve({ name: command.name, code: spawnError ? null : code, signal, stderr, killed });
    });
  });
  return {
    process: child,
    outcome,
    bound: reaper.length === 0 ? Promise.resolve() : untilReplaced(child),
    kill() {
      if (killing || child.exitCode !== null || child.signalCode !== null) return;
      killing = true;
      child.kill(command.endsOn ?? "SIGKILL");
      if (command.endsOn !== undefined) hurry = setTimeout(() => child.kill("SIGKILL"), END_MS);
    },
  };
}

type StdioOption = "ignore" | "pipe" | NonNullable<ChildProcess["stdout"]>;

export function succeeded(outcome: Outcome): boolean {
  return outcome.code === 0 && outcome.signal === null;
}

/** `exit status 1`, `signal SIGKILL (9)`. */
export function statusOf({ code, signal }: Outcome): string {
  if (signal !== null) return `was ended by signal ${signal} (${constants.signals[signal]})`;
  return code === null ? "could not be started" : `failed with exit status ${code}`;
}

/** setpriv replaces itself by the program; stopped before that, it would not be bound to us yet. */
async function untilReplaced({ pid }: ChildProcess): Promise<void> {
  // A file that is gone, or a process that has ended, is as good.
  while ((await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")) === "setpriv\n") await sleep(5);
}

/** Keeps the end of a text of any length in little memory. */
function boundedTail(): { add(chunk: Buffer): void; text(): string } {
  let kept = Buffer.alloc(0);
  return {
    add(chunk) {
      kept = Buffer.concat([kept, chunk]).subarray(-TAIL_BYTES);
    },
    text: () => hidePasswords(kept.toString("utf8").trim().split("\n").slice(-TAIL_LINES).join("\n")),
  };
}
