import { writeFile } from "node:fs/promises";
import { type CryptoFigures, measureCrypto } from "./crypto.ts";
import { atLeast, type Figure, figuresOf } from "./figures.ts";
import { interruption, obeySignals } from "./interruption.ts";
import { whyNoLinks } from "./links.ts";
import { describeMachine } from "./machine.ts";
import { type Options, parseOptions, type Part, type Setting, USAGE } from "./options.ts";
import { renderResult, type Result, type SettingResult } from "./report.ts";
import { type RoundOptions, runRounds } from "./rounds.ts";
import { prepareSource, type Source } from "./source.ts";
import { measureStarts, startFigures } from "./starts.ts";
import { startTargets } from "./targets.ts";

/** What is measured in rounds, on the servers of a setting. */
const ROUND_PARTS: readonly Part[] = ["backups", "restores", "puts", "peers"];
/** Rounds of starts, each of which takes less than a second. */
const STARTS = 15;
/** The S3 server keeps objects in memory; so much beyond what the copies of one round take. */
const ROOM_BYTES = 4 * 1024 ** 3;

const say = (line: string) => process.stderr.write(`${line}\n`);

const options = parseOptions(process.argv.slice(2));
if (options === null) {
  say(USAGE);
  process.exit(2);
}
if (process.platform !== "linux") {
  say("The bench reads /proc and runs Ceph's S3 server, so it needs Linux.");
  process.exit(1);
}
obeySignals();
try {
  const result = await measure(options);
  say(`\n${renderResult(result)}`);
  if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify(result, null, 2)}\n`);
} catch (error) {
  if (!interruption.aborted) throw error;
  say("interrupted; everything that was started is gone");
  process.exitCode = 130;
}

async function measure({ megabytes, runs, settings, parts, profileDir }: Options): Promise<Result> {
  const startedAt = new Date().toISOString();
  const noLinks = settings.includes("link") ? await whyNoLinks() : null;
  const onServers = ROUND_PARTS.some((part) => parts.has(part));
  const possible = settings.filter((setting) => onServers && (setting !== "link" || noLinks === null));
  say(`making a database of ${megabytes} MB`);
  await using source = await prepareSource(megabytes);
  const results: SettingResult[] = [];
  for (const setting of possible) {
    say(`\n${setting}: starting the servers`);
    results.push(await measureSetting(setting, source, { runs, parts, profileDir, say }));
  }
  if (parts.has("encryption")) say("\nencryption alone");
  const crypto = parts.has("encryption") ? await measureCrypto() : null;
  if (parts.has("starts")) say("\nstarts of the command line");
  const starts = parts.has("starts") ? await measureStarts(STARTS) : null;
  return {
    startedAt,
    machine: await describeMachine(source.postgres.binDir),
    databaseBytes: source.database.bytes,
    crypto,
    cryptoFigures: crypto ? cryptoFigures(crypto) : [],
    starts,
    startFigures: starts ? startFigures(starts) : [],
    settings: results,
    skipped: noLinks === null ? {} : { link: noLinks },
  };
}

async function measureSetting(setting: Setting, source: Source, roundOptions: RoundOptions): Promise<SettingResult> {
  await using targets = await startTargets(setting, ROOM_BYTES + 2 * source.database.bytes);
  const rounds = await runRounds(source, targets, roundOptions);
  return { setting, rounds, figures: figuresOf(setting, rounds) };
}

function cryptoFigures({ seal, open }: CryptoFigures): Figure[] {
  return [
    atLeast("seal rate / age", seal.oursToAge, 0.65),
    atLeast("open rate / age", open.oursToAge, 0.65),
    atLeast("seal rate / age-encryption", seal.oursToAgeEncryption, 5),
    atLeast("open rate / age-encryption", open.oursToAgeEncryption, 5),
  ];
}
