import path from "node:path";
import { type Measured, type Program, runPipeline } from "./pipeline.ts";
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
  const cpuBefore = cpuOfTrees([source.postgres.pid]);
  const measured = await runPipeline(floorPrograms(source), { output: file });
  return { ...measured, serverCpuSeconds: cpuOfTrees([source.postgres.pid]) - cpuBefore, file };
}

export function floorPrograms(source: Source): Program[] {
  return [
    pgDump(source, ["-Fc", "-Z0"]),
    { file: "zstd", args: ["-3", "-q"] },
    { file: "age", args: ["-r", source.recipient] },
  ];
}

export function pgDump({ postgres, database, libpqEnv }: Source, args: readonly string[]): Program {
  return { file: path.join(postgres.binDir, "pg_dump"), args: [...args, `--dbname=${database.name}`], env: libpqEnv };
}
