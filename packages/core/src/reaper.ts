import { execFile } from "node:child_process";

/** A prefix for argument lists: empty, or the program that makes a child die with its parent. */
export type Reaper = readonly string[];

let works: Promise<boolean> | undefined;

/**
 * `setpriv --pdeathsig` (util-linux, prctl(2) PR_SET_PDEATHSIG): the kernel sends `signal` to the child when our thread
 * ends, even by SIGKILL, so that no dump and no server runs on without an owner. Empty where the system cannot (macOS).
 */
export async function findReaper(signal: "KILL" | "TERM" = "KILL"): Promise<Reaper> {
  works ??= new Promise((resolve) => {
    if (process.platform !== "linux") return resolve(false);
    execFile("setpriv", ["--pdeathsig", "KILL", "--", "true"], (error) => resolve(error === null));
  });
  return (await works) ? ["setpriv", "--pdeathsig", signal, "--"] : [];
}
