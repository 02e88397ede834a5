import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { interruption } from "./interruption.ts";
import { cpuOfEndedChildren } from "./processes.ts";
import { type Watched, watchPrograms } from "./sampling.ts";

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** Beside what this process has. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Measured extends Watched {
  readonly seconds: number;
  /** All programs together, as the kernel counted it. */
  readonly cpuSeconds: number;
}

/**
 * Runs `a | b | c`, as a shell would: the bytes pass from program to program without touching Node. Throws, with what the
 * programs said, unless each of them ends with status 0. Measures one pipeline at a time: CPU time is distinguished from that
 * of other children only by when they end.
 */
export async function runPipeline(
  programs: readonly Program[],
  files: { readonly input?: string; readonly output?: string } = {},
): Promise<Measured> {
  interruption.throwIfAborted();
  const input = files.input === undefined ? null : await open(files.input, "r");
  const output = files.output === undefined ? null : await open(files.output, "w", 0o600);
  const cpuBefore = cpuOfEndedChildren();
  const begun = performance.now();
  try {
    const children = start(programs, input?.fd, output?.fd);
    const watch = watchPrograms(children.map((child) => child.pid ?? 0));
    const endings = await Promise.all(children.map((child, index) => ending(child, programs[index])));
    const seconds = (performance.now() - begun) / 1000;
    const watched = watch.stop();
    const failure = endings.find((said) => said !== null);
    if (failure !== undefined) throw new Error(failure ?? undefined);
    return { seconds, cpuSeconds: cpuOfEndedChildren() - cpuBefore, ...watched };
  } finally {
    await input?.close();
    await output?.close();
  }
}

function start(programs: readonly Program[], input: number | undefined, output: number | undefined): ChildProcess[] {
  const children: ChildProcess[] = [];
  for (const [index, { file, args, env }] of programs.entries()) {
    const previous = children.at(-1)?.stdout;
    const last = index === programs.length - 1;
    const stdin = previous ?? input ?? "ignore";
    const stdout = last ? (output ?? "ignore") : "pipe";
    children.push(
      spawn(file, args, { stdio: [stdin, stdout, "pipe"], env: { ...process.env, ...env }, signal: interruption }),
    );
    // The next program has a copy of its own; ours would hide from the writer that its reader has gone.
    previous?.destroy();
  }
  return children;
}

/** Null where it succeeded, else what to report. */
async function ending(child: ChildProcess, program: Program | undefined): Promise<string | null> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2000)));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return code === 0 ? null : `${program?.file} ended with ${signal ?? code}: ${said.trim()}`;
}
