import { lstatSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { interruption } from "./interruption.ts";
import { cpuOfProcess, peakMemory, programOf, treeOf } from "./processes.ts";

const PROGRAMS_EVERY_MS = 50;
const SPOOL_EVERY_MS = 5;

/** Bytes by program. */
export type Peaks = Record<string, number>;

export interface Watched {
  readonly peaks: Peaks;
  /** CPU seconds by program, up to the last look at it: a program that has ended is short of 50 ms at most. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** Notes the highest memory of every program in the trees below `roots`, and their CPU time, until it is stopped. */
export function watchPrograms(roots: readonly number[]): { stop(): Watched } {
  const peaks: Peaks = {};
  const seen = new Map<number, { program: string; seconds: number }>();
  const look = () => {
    for (const pid of treeOf(roots)) {
      const program = programOf(pid);
      raise(peaks, program, peakMemory(pid));
      if (program !== "") seen.set(pid, { program, seconds: cpuOfProcess(pid) });
    }
  };
  // Nobody stops it where the measurement fails; it must not keep the process alive.
  const timer = setInterval(look, PROGRAMS_EVERY_MS).unref();
  return {
    stop() {
      clearInterval(timer);
      const cpu: Record<string, number> = {};
      for (const { program, seconds } of seen.values()) cpu[program] = (cpu[program] ?? 0) + seconds;
      return { peaks, cpu };
    },
  };
}

export function raise(peaks: Peaks, name: string, value: number): void {
  if (name !== "" && value > 0) peaks[name] = Math.max(peaks[name] ?? 0, value);
}

export interface SpoolMark {
  segments: number;
  bytes: number;
}

/** Notes the most that ever lay in any one backup's spool folder, until it is stopped. */
export function watchSpool(spoolDir: string): { stop(): SpoolMark } {
  const mark: SpoolMark = { segments: 0, bytes: 0 };
  const look = () => {
    for (const backup of entries(spoolDir)) {
      const folder = path.join(spoolDir, backup);
      const files = entries(folder);
      const segments = files.filter((name) => name.startsWith("part-")).length;
      const bytes = files.reduce((sum, name) => sum + sizeOf(path.join(folder, name)), 0);
      mark.segments = Math.max(mark.segments, segments);
      mark.bytes = Math.max(mark.bytes, bytes);
    }
  };
  const timer = setInterval(look, SPOOL_EVERY_MS).unref(); // as above
  return {
    stop() {
      clearInterval(timer);
      return mark;
    },
  };
}

// What is being looked at comes and goes: a file that is no longer there takes no room.
function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function sizeOf(file: string): number {
  try {
    return lstatSync(file).size;
  } catch {
    return 0;
  }
}

const QUIET = 0.95;
const LOOK_MS = 500;
const PATIENCE_MS = 10_000;

/** Waits until the machine has little to do, so that what one measurement left behind does not burden the next. */
export async function quiet(): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let before = await processorTicks();
  while (performance.now() < deadline) {
    await sleep(LOOK_MS, undefined, { signal: interruption });
    const now = await processorTicks();
    if ((now.idle - before.idle) / (now.all - before.all) >= QUIET) return;
    before = now;
  }
}

async function processorTicks(): Promise<{ idle: number; all: number }> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const ticks = line.split(/ +/).slice(1).map(Number);
  const [, , , idle = 0, waiting = 0] = ticks;
  return { idle: idle + waiting, all: ticks.reduce((sum, each) => sum + each, 0) };
}
