import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { whenGone } from "@trivault/testkit";

const APPS = path.resolve(import.meta.dirname, "../../apps");
/** So many characters of a program's output are kept: runs of an hour write more. */
const MOST_REMEMBERED = 1_000_000;

/** An app as an operator starts it, in a process of its own. */
export interface Program {
  readonly pid: number;
  /** Its stderr. */
  log(): string;
  hasEnded(): boolean;
  /** Resolves, with the exit code or the signal, when it has ended. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
  /** Waits for a line; returns what its parentheses caught. Throws where the program ends instead. */
  said(line: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** In order, by SIGTERM; throws where it does not end with 0. */
  end(): Promise<void>;
  kill(): Promise<void>;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Hears each line of its stderr. */
  readonly onLine?: (line: string) => void;
}

export function startProgram(app: "api" | "worker", { cwd, env, onLine }: ProgramOptions): Program {
  const child = spawn(process.execPath, [path.join(APPS, app, "src/main.js")], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.once("exit", whenGone(`kill -9 ${child.pid}`));
  const exited = once(child, "exit").then(
    ([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? null,
  );
  let log = "";
  let line = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-MOST_REMEMBERED);
    const lines = (line + text).split("\n");
    line = lines.pop() ?? "";
    if (onLine) lines.forEach(onLine);
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const signal = (name: NodeJS.Signals) => {
    if (!hasEnded()) child.kill(name);
  };
  return {
    pid: child.pid ?? 0,
    log: () => log,
    hasEnded,
    exited,
    signal,
    async said(wanted) {
      for (;;) {
        const found = wanted.exec(log);
        if (found) return found[1] ?? "";
        if (hasEnded()) throw new Error(`${app} ended: ${log}`);
        await sleep(50);
      }
    },
    async end() {
      signal("SIGTERM");
      const how = await exited;
      if (how !== 0) throw new Error(`${app} ended with ${how}: ${log}`);
    },
    async kill() {
      signal("SIGKILL");
      await exited;
    },
  };
}
