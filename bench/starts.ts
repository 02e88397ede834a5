import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { makeTempDir } from "@trivault/testkit";
import { atMost, type Figure, median } from "./figures.ts";
import { cpuOfEndedChildren } from "./processes.ts";

const CLI = path.join(import.meta.dirname, "../apps/cli/src/main.js");

/** What is started: Node itself, which computes nothing, then commands on a local site that has no backup yet. */
const STARTS = {
  node: ["-e", "0"],
  help: [CLI, "--help"],
  list: [CLI, "list"],
  health: [CLI, "health"],
} as const;

export type Start = keyof typeof STARTS;

export interface StartMeasured {
  /** Wall-clock seconds of each round. */
  readonly seconds: readonly number[];
  /** User and system time of all rounds together: the kernel counts it in ticks of 10 ms, too coarse for a single one. */
  readonly cpuSeconds: number;
}

export type StartsMeasured = Readonly<Record<Start, StartMeasured>>;

/** Starts each in turn, `rounds` times over; before that once each, so that what Node compiled is kept already. */
export async function measureStarts(rounds: number): Promise<StartsMeasured> {
  await using folder = await makeTempDir("tv-starts");
  const env = {
    PATH: process.env["PATH"],
    HOME: folder.path,
    BACKUP_DIR: path.join(folder.path, "backups"),
    DATABASE_URL: "postgresql://nobody@localhost/db0",
  };
  const measured = Object.fromEntries(
    Object.keys(STARTS).map((name) => [name, { seconds: [] as number[], cpuSeconds: 0 }]),
  ) as Record<Start, { seconds: number[]; cpuSeconds: number }>;
  for (let round = 0; round <= rounds; round++) {
    for (const [name, args] of Object.entries(STARTS) as [Start, readonly string[]][]) {
      const cpuBefore = cpuOfEndedChildren();
      const begun = performance.now();
      const child = spawn(process.execPath, args, { cwd: folder.path, env, stdio: "ignore" });
      const [code, signal] = (await once(child, "close")) as [number | null, string | null];
      // `health` of a site without a backup ends with 1: that database is not safe.
      if (code !== 0 && !(name === "health" && code === 1)) {
        throw new Error(`node ${args.join(" ")} ended with ${signal ?? code}`);
      }
      if (round === 0) continue;
      measured[name].seconds.push((performance.now() - begun) / 1000);
      measured[name].cpuSeconds += cpuOfEndedChildren() - cpuBefore;
    }
  }
  return measured;
}

/** Each command as a multiple of Node's own start in the same rounds. */
export function startFigures({ node, ...commands }: StartsMeasured): Figure[] {
  const targets = { help: 3.5, list: 8, health: 8 };
  return (Object.keys(commands) as (keyof typeof commands)[]).flatMap((name) => [
    atMost(`start of ${name} / Node's, time`, median(commands[name].seconds) / median(node.seconds), targets[name]),
    atMost(`start of ${name} / Node's, CPU`, commands[name].cpuSeconds / node.cpuSeconds, targets[name]),
  ]);
}
