import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Ended } from "./ended.ts";

const MAIN = path.join(import.meta.dirname, "../main.js");

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has printed so far. */
  stdout(): string;
  /** Resolves once stderr holds the text, or the program has ended. */
  says(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Everything that any command of this test file printed: no secret may be in it. */
export const printed: string[] = [];

/** The CLI as an operator starts it, with no environment but the given one. */
export function startCli(
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>>; stdin?: string },
): Started {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: { PATH, HOME, ...options.env },
    stdio: "pipe",
  });
  // One that ended before it read its input shows by its status how.
  child.stdin.on("error", () => {}).end(options.stdin ?? "");
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (stdout += piece));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (stderr += piece));
  const closed = [once(child.stdout, "close"), once(child.stderr, "close")];
  const ended = Promise.all([exited, ...closed]).then(([code]) => {
    printed.push(stdout, stderr);
    return { code, stdout, stderr };
  });
  return {
    pid: child.pid ?? 0,
    ended,
    stdout: () => stdout,
    says(text) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => stderr.includes(text) && resolve();
      look();
      child.stderr.on("data", look);
      ended.then(() => resolve(), resolve);
      return promise;
    },
    kill: (signal) => child.kill(signal),
  };
}
