import path from "node:path";
import { type Measured, runPipeline } from "./pipeline.ts";
import { cpuOfTrees } from "./processes.ts";
import type { Source } from "./source.ts";

export interface FloorMeasured extends Measured {
  /** What the database server spent on it. */
  readonly serverCpuSeconds: number;
  /** Left for a restore by hand. */
  readonly file: string;
}

/** (a) What no backup with this compression and encryption can do without: `pg_dump -Fc -Z0 | zstd -3 | age -r … > file`. */
export async function runFloor(source: Source): Promise<FloorMeasured> {
  const file = path.join(source.folder, "floor.dump.zst.age");
  const pgDump = path.join(source.postgres.binDir, "pg_dump");
  const cpuBefore = cpuOfTrees([source.postgres.pid]);
  const measured = await runPipeline(
    [
      { file: pgDump, args: ["-Fc", "-Z0", `--dbname=${source.database.name}`], env: source.libpqEnv },
      { file: "zstd", args: ["-3", "-q"] },
      { file: "age", args: ["-r", source.recipient] },
    ],
    { output: file },
  );
  return { ...measured, serverCpuSeconds: cpuOfTrees([source.postgres.pid]) - cpuBefore, file };
}
