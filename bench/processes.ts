import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** What Linux reports about processes in proc(5). Every reader answers with nothing for a process that has just ended. */

/** The kernel counts CPU time in ticks of USER_HZ, which is 100 a second on every platform that Node runs on. */
const TICKS = 100;

/** The processes with these ids and all that descend from them. */
export function treeOf(roots: readonly number[]): number[] {
  const pids = [...roots];
  for (const pid of pids) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const children = read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number);
      pids.push(...children);
    }
  }
  return pids;
}

/** CPU seconds of the processes in these trees, and of those in them that have ended and were waited for. */
export function cpuOfTrees(roots: readonly number[]): number {
  return treeOf(roots).reduce((sum, pid) => sum + own(pid) + reaped(pid), 0);
}

/** CPU seconds of all programs that this process has started and seen end. */
export function cpuOfEndedChildren(): number {
  return reaped("self");
}

export function cpuOfProcess(pid: number): number {
  return own(pid);
}

export function cpuOfReaped(pid: number): number {
  return reaped(pid);
}

/** CPU seconds of each kind of thread of a process, by the thread's name. */
export function cpuOfThreads(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of list(`/proc/${pid}/task`)) {
    const name = read(`/proc/${pid}/task/${thread}/comm`).trim();
    seconds.set(name, (seconds.get(name) ?? 0) + own(`${pid}/task/${thread}`));
  }
  return seconds;
}

/** The most memory a process ever held, in bytes; 0 where it is gone. */
export function peakMemory(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** `zstd`, `postgres`, `sshd`: the first word of the command line, without its folder. */
export function programOf(pid: number): string {
  const [command = ""] = read(`/proc/${pid}/cmdline`).split("\0");
  return path.basename(command.split(/:? /)[0] ?? "").replace(/:$/, "");
}

function own(process: number | string): number {
  return ticks(process, 11);
}

function reaped(process: number | string): number {
  return ticks(process, 13);
}

/** Two neighbouring fields of `stat`, user and system time; counted behind "pid (name) ", as a name may hold anything. */
function ticks(process: number | string, field: number): number {
  const stat = read(`/proc/${process}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[field] ?? 0) + Number(fields[field + 1] ?? 0)) / TICKS;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
