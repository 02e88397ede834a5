import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startGuard } from "./when-gone.ts";

/**
 * Remembers what this process holds now, and returns a check that throws, naming them, where it later holds more: child
 * processes, and open files, sockets and pipes. For a test file: `afterAll(expectNoLeaks())`, registered before the hooks
 * that close things (jest runs afterAll in the order in which they were declared, so: below them).
 * Linux only (it reads /proc); elsewhere the check passes.
 */
export function expectNoLeaks(): () => Promise<void> {
  startGuard(); // it stays
  const before = held();
  return async () => {
    let leaks: string[] = [];
    // What was just closed may take a moment to go.
    for (let tries = 0; tries < 20; tries++) {
      leaks = [...held()].filter(([id]) => !before.has(id)).map(([, what]) => what);
      if (leaks.length === 0) return;
      await sleep(50);
    }
    throw new Error(`still there at the end:\n  ${leaks.join("\n  ")}`);
  };
}

/** Identity → description of every child process and open file. */
function held(): Map<string, string> {
  return process.platform === "linux" ? new Map([...children(), ...openFiles()]) : new Map();
}

function* children(): Generator<[string, string]> {
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    // "pid (command) state ppid …"; the command may itself contain spaces and brackets: proc(5).
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(parent) !== process.pid) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    yield [`process ${pid}`, `child process ${pid} (${state === "Z" ? "not waited for" : command})`];
  }
}

function* openFiles(): Generator<[string, string]> {
  for (const fd of list("/proc/self/fd")) {
    const target = link(`/proc/self/fd/${fd}`);
    // Node's own: event polls, and the folder being listed here.
    if (target === null || target.startsWith("anon_inode:") || target.startsWith("/proc/")) continue;
    yield [`file ${fd} ${target}`, `open file ${fd} (${target})`];
  }
}

// Processes and files may end between being listed and being looked at: then they are not there.
function list(dir: string): string[] {
  return quiet(() => readdirSync(dir)) ?? [];
}

function read(file: string): string {
  return quiet(() => readFileSync(file, "utf8")) ?? "";
}

function link(file: string): string | null {
  return quiet(() => readlinkSync(file));
}

function quiet<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
