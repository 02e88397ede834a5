import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type FloorMeasured, runFloor } from "./floor.ts";
import type { Measured } from "./pipeline.ts";
import { makePutObjects, measurePuts, type PutRates } from "./put-rates.ts";
import { restoreByHand, restoreFromTier } from "./restores.ts";
import { quiet } from "./sampling.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { type BackupMeasured, startTrivault } from "./trivault.ts";
import { runUsualScript, type ScriptMeasured } from "./usual-script.ts";

export interface Round {
  readonly floor: FloorMeasured;
  readonly script: ScriptMeasured;
  readonly trivault: BackupMeasured;
  readonly restoreByHand: Measured;
  readonly restores: Readonly<Record<string, Measured>>;
  readonly puts: PutRates;
}

export interface RoundOptions {
  readonly runs: number;
  readonly profileDir: string | null;
  readonly say: (line: string) => void;
}

const run = promisify(execFile);

/** Everything in turn, `runs` times over, so that whatever changes on the machine meanwhile touches all alike. */
export async function runRounds(source: Source, targets: Targets, options: RoundOptions): Promise<Round[]> {
  await using trivault = await startTrivault(source, targets, options.profileDir);
  await using puts = await makePutObjects(source);
  const timed = async <T extends { seconds: number }>(what: string, measure: () => Promise<T>): Promise<T> => {
    await settle();
    const measured = await measure();
    options.say(`  ${what.padEnd(24)} ${measured.seconds.toFixed(2)} s`);
    return measured;
  };

  options.say("warming up");
  await runFloor(source);
  const rounds: Round[] = [];
  for (let number = 1; number <= options.runs; number++) {
    options.say(`round ${number} of ${options.runs}`);
    const floor = await timed("(a) floor", () => runFloor(source));
    const script = await timed("(b) usual script", () => runUsualScript(source, targets));
    const backup = await timed("(c) Trivault", () => trivault.backup());
    const byHand = await timed("(d) restore by hand", () => restoreByHand(source, floor.file));
    const restores: Record<string, Measured> = {};
    for (const { name } of trivault.config.tiers) {
      const restore = () => restoreFromTier(source, trivault, backup.backupId, name);
      restores[name] = await timed(`(d) restore from ${name}`, restore);
    }
    await trivault.forget(backup.backupId);
    await settle();
    options.say("  puts");
    const rates = await measurePuts(source, targets, trivault.config, puts);
    rounds.push({ floor, script, trivault: backup, restoreByHand: byHand, restores, puts: rates });
  }
  return rounds;
}

/** What one measurement left to be written or cleaned up must not burden the next. */
async function settle(): Promise<void> {
  await run("sync");
  await quiet();
}
