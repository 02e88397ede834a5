import { background } from "@trivault/core";
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Ends a child with all that it started, and waits until it is gone; again is fine. */
export async function endTree(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = background(once(child, "exit"));
  killTree(child, "SIGKILL");
  await exited;
}

/** The sessions of an SSH server are processes with a process group of their own, which outlive it. */
export function killTree(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  const parents = parentsOfAll();
  const tree = [child.pid];
  for (const pid of tree) tree.push(...[...parents].filter(([, parent]) => parent === pid).map(([each]) => each));
  for (const pid of tree) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
}

function parentsOfAll(): Map<number, number> {
  const parents = new Map<number, number>();
  if (!existsSync("/proc/self")) {
    const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    for (const [, pid, parent] of stdout.matchAll(/^ *(\d+) +(\d+)$/gm)) parents.set(Number(pid), Number(parent));
    return parents;
  }
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // pid (name) state ppid …, where the name may hold spaces and brackets
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended in between.
    }
  }
  return parents;
}
