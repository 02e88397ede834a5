import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fail } from "./say.mjs";

/**
 * Runs a program in our place: it has our stdin, stdout and stderr, gets the signals we get, and its end is ours.
 * Ctrl-C on a terminal reaches it without us, since the terminal signals the whole foreground group: passing it on would
 * interrupt it twice.
 */
export async function runInOurPlace(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: "inherit" });
  const onTerminal = process.stdin.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !onTerminal) child.kill(signal);
    });
  }
  const [status, signal] = await new Promise((resolve) => {
    child.once("error", (error) => fail(`${program} cannot be started: ${error.message}`));
    child.once("exit", (...end) => resolve(end));
  });
  process.exit(status ?? 128 + constants.signals[signal]);
}
