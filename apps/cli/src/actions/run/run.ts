import { chooseConfigured } from "../../choose-database.ts";
import { readEnvironment } from "../../environment.ts";
import type { Running } from "../../perform.ts";

export interface RunOptions {
  readonly database?: string;
  readonly wait?: boolean;
  readonly inline?: boolean;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

export async function run(options: RunOptions, running: Running): Promise<number> {
  const { config, log } = readEnvironment("backup");
  const database = chooseConfigured(config, options.database);
  if (options.inline) return (await import("./inline.ts")).runHere(config, log, database, running);
  return (await import("./queued.ts")).runOnWorkers(config, log, { ...options, database }, running);
}
