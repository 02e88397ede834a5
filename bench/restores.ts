import path from "node:path";
import { argumentsOf } from "./npm-scripts.ts";
import { type Measured, runPipeline } from "./pipeline.ts";
import type { Source } from "./source.ts";
import type { Trivault } from "./trivault.ts";

const TARGET = "restored";

/** (d) Without Trivault: `age -d | zstd -d | pg_restore`, from the file that the floor left. */
export function restoreByHand(source: Source, file: string): Promise<Measured> {
  const pgRestore = path.join(source.postgres.binDir, "pg_restore");
  return intoFreshDatabase(source, () =>
    runPipeline([
      { file: "age", args: ["-d", "-i", source.identityFile, file] },
      { file: "zstd", args: ["-d", "-q"] },
      {
        file: pgRestore,
        args: ["--exit-on-error", "--single-transaction", `--dbname=${TARGET}`],
        env: source.libpqEnv,
      },
    ]),
  );
}

/** (d) From one tier, by the command that an operator uses: its start and its comparing of row counts are part of it. */
export function restoreFromTier(source: Source, trivault: Trivault, backupId: string, tier: string): Promise<Measured> {
  const what = ["--database", source.database.name, "--backup", backupId, "--from", tier];
  return intoFreshDatabase(source, (url) =>
    runPipeline([
      {
        file: process.execPath,
        args: [...argumentsOf("backup:restore"), ...what, "--json"],
        env: { ...trivault.env, BACKUP_RESTORE_TARGET: url },
      },
    ]),
  );
}

async function intoFreshDatabase<T>(source: Source, restore: (url: string) => Promise<T>): Promise<T> {
  const url = await source.postgres.createDatabase(TARGET);
  try {
    return await restore(url);
  } finally {
    await source.postgres.query(`drop database ${TARGET} with (force)`);
  }
}
