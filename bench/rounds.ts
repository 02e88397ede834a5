import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type FloorMeasured, runFloor } from "./floor.ts";
import type { Part } from "./options.ts";
import { measurePeers, type PeersMeasured } from "./peers.ts";
import type { Measured } from "./pipeline.ts";
import { makePutObjects, measurePuts, type PutRates } from "./put-rates.ts";
import { restoreByHand, restoreFromTier } from "./restores.ts";
import { quiet } from "./sampling.ts";
import { runSideBySide, type SideBySideMeasured } from "./side-by-side.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { type BackupMeasured, startTrivault, type Trivault } from "./trivault.ts";
import { runUsualScript, type ScriptMeasured } from "./usual-script.ts";

/** What was not asked for is null. */
export interface Round {
  readonly backups: Backups | null;
  readonly restores: Restores | null;
  readonly puts: PutRates | null;
  readonly peers: PeersMeasured | null;
}

export interface Backups {
  readonly floor: FloorMeasured;
  readonly script: ScriptMeasured;
  readonly sideBySide: SideBySideMeasured;
  readonly trivault: BackupMeasured;
}

export interface Restores {
  readonly byHand: Measured;
  readonly tiers: Readonly<Record<string, Measured>>;
}

export interface RoundOptions {
  readonly runs: number;
  readonly parts: ReadonlySet<Part>;
  readonly profileDir: string | null;
  readonly say: (line: string) => void;
}

type Timed = <T>(what: string, measure: () => Promise<T>) => Promise<T>;

const run = promisify(execFile);

/** Everything in turn, `runs` times over, so that whatever changes on the machine meanwhile touches all alike. */
export async function runRounds(source: Source, targets: Targets, options: RoundOptions): Promise<Round[]> {
  const { parts, say } = options;
  await using trivault = await startTrivault(source, targets, options.profileDir);
  await using puts = parts.has("puts") ? await makePutObjects(source) : null;
  const timed: Timed = async (what, measure) => {
    await settle();
    const begun = performance.now();
    const measured = await measure();
    say(`  ${what.padEnd(24)} ${((performance.now() - begun) / 1000).toFixed(2)} s`);
    return measured;
  };

  say("warming up");
  await runFloor(source);
  const rounds: Round[] = [];
  for (let number = 1; number <= options.runs; number++) {
    say(`round ${number} of ${options.runs}`);
    const backups = parts.has("backups") ? await measureBackups(source, targets, trivault, timed) : null;
    const restores = parts.has("restores") ? await measureRestores(source, trivault, backups, timed) : null;
    if (backups) await trivault.forget(backups.trivault.backupId);
    const peers = parts.has("peers") ? await timed("peers", () => measurePeers(source, targets)) : null;
    const rates = puts && (await timed("puts", () => measurePuts(source, targets, trivault.config, puts)));
    rounds.push({ backups, restores, puts: rates, peers });
  }
  return rounds;
}

async function measureBackups(source: Source, targets: Targets, trivault: Trivault, timed: Timed): Promise<Backups> {
  return {
    floor: await timed("(a) floor", () => runFloor(source)),
    script: await timed("(b) usual script", () => runUsualScript(source, targets)),
    sideBySide: await timed("(e) side by side", () => runSideBySide(source, targets)),
    trivault: await timed("(c) Trivault", () => trivault.backup()),
  };
}

/** Of the round's own backups, or where none were measured, of some that are made for it. */
async function measureRestores(
  source: Source,
  trivault: Trivault,
  backups: Backups | null,
  timed: Timed,
): Promise<Restores> {
  const floor = backups?.floor ?? (await runFloor(source));
  const backup = backups?.trivault ?? (await trivault.backup());
  const byHand = await timed("(d) restore by hand", () => restoreByHand(source, floor.file));
  const tiers: Record<string, Measured> = {};
  for (const { name } of trivault.config.tiers) {
    const restore = () => restoreFromTier(source, trivault, backup.backupId, name);
    tiers[name] = await timed(`(d) restore from ${name}`, restore);
  }
  if (!backups) await trivault.forget(backup.backupId);
  return { byHand, tiers };
}

/** What one measurement left to be written or cleaned up must not burden the next. */
async function settle(): Promise<void> {
  await run("sync");
  await quiet();
}
