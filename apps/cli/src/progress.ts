import { formatBytes, visibleLine, visibleText } from "@trivault/core";
import type { StageState } from "@trivault/monitor";
import { MultiBar, type SingleBar } from "cli-progress";

/** One thing that is under way: a stage of a backup, or the reading of one tier. */
export interface Task {
  readonly name: string;
  readonly state: StageState;
  readonly bytes: number;
  /** Null while nobody knows it: a dump's size is known at its end. */
  readonly totalBytes: number | null;
}

export interface ProgressDisplay {
  update(tasks: readonly Task[]): void;
  /** A line above the bars. */
  say(line: string): void;
  /** Leaves the last state standing and gives the terminal back. */
  stop(): void;
}

type Stream = NodeJS.WritableStream & { isTTY?: boolean };

const BAR_WIDTH = 30;
/** Without a terminal, a line for each change of state, and beside those at most one in so many seconds. */
const LINE_EVERY_MS = 5000;

/** Bars on a terminal, plain lines elsewhere. */
export function showProgress(stream: Stream, now = () => performance.now()): ProgressDisplay {
  const display = stream.isTTY ? bars(stream, now) : lines(stream, now);
  return {
    update: (tasks) => display.update(tasks.map((task) => ({ ...task, name: visibleLine(task.name) }))),
    say: (line) => display.say(visibleText(line).replaceAll(/\n(?! {2})/g, "\n  ")),
    stop: () => display.stop(),
  };
}

function bars(stream: Stream, now: () => number): ProgressDisplay {
  const shown = new Map<string, { bar: SingleBar; startedAt: number | null }>();
  const multi = new MultiBar({
    stream,
    format: (_options, _params, payload: { text: string }) => payload.text,
    hideCursor: true,
    gracefulExit: false, // signals are ours: perform.ts
    forceRedraw: true,
    emptyOnZero: true,
  });
  return {
    update(tasks) {
      const width = Math.max(...tasks.map(({ name }) => name.length));
      for (const task of tasks) {
        const known = shown.get(task.name) ?? { bar: multi.create(1, 0, { text: "" }), startedAt: null };
        if (task.state === "active") known.startedAt ??= now();
        shown.set(task.name, known);
        const seconds = known.startedAt === null ? 0 : (now() - known.startedAt) / 1000;
        known.bar.update(0, { text: barText(task, width, seconds) });
      }
    },
    say: (line) => multi.log(`${line}\n`),
    stop() {
      if (!multi.isActive) return;
      multi.update(); // or lines written since the last redraw would be lost
      multi.stop();
    },
  };
}

export function barText(task: Task, width: number, seconds: number): string {
  const share = shareOf(task);
  const full = Math.floor((share ?? 0) * BAR_WIDTH);
  const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
  const percent = share === null ? "    " : `${String(Math.floor(share * 100)).padStart(3)}%`;
  const rate = task.state === "active" && seconds > 1 ? `${formatBytes(task.bytes / seconds)}/s` : stateText(task);
  return `${task.name.padEnd(width)}  ${bar} ${percent} ${formatBytes(task.bytes).padStart(9)}  ${rate}`;
}

/** Never a full bar before the stage said that it is done: sizes of stages before it are only close to its own. */
function shareOf({ state, bytes, totalBytes }: Task): number | null {
  if (state === "completed") return 1;
  return totalBytes === null || totalBytes === 0 ? null : Math.min(bytes / totalBytes, 0.99);
}

function stateText({ state }: Task): string {
  return { waiting: "waiting", active: "", retrying: "is tried again", completed: "done", failed: "FAILED" }[state];
}

function lines(stream: Stream, now: () => number): ProgressDisplay {
  const states = new Map<string, Task["state"]>();
  let printedAt = now();
  const write = (line: string) => stream.write(`${line}\n`);
  return {
    update(tasks) {
      for (const task of tasks) {
        const ended = task.state !== "waiting" && task.state !== "active" && task.state !== states.get(task.name);
        states.set(task.name, task.state);
        if (ended) write(`${task.name}: ${stateText(task)} (${formatBytes(task.bytes)})`);
      }
      const active = tasks.filter((task) => task.state === "active");
      if (active.length === 0 || now() - printedAt < LINE_EVERY_MS) return;
      printedAt = now();
      write(active.map(amountText).join(", "));
    },
    say: write,
    stop() {},
  };
}

function amountText({ name, bytes, totalBytes }: Task): string {
  return `${name} ${formatBytes(bytes)}${totalBytes === null ? "" : ` of ${formatBytes(totalBytes)}`}`;
}
