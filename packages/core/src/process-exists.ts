import { codeOf } from "./errors.ts";

/** Whether a process of this machine has that id (kill(2) with signal 0); one of another user counts, too. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}
