import type { CryptoFigures } from "./crypto.ts";
import { backupTimes, type Figure, median, partsOf, restoreTimes } from "./figures.ts";
import type { Machine } from "./machine.ts";
import type { Setting } from "./options.ts";
import { peerSeconds, type PeersMeasured } from "./peers.ts";
import type { PutRates } from "./put-rates.ts";
import type { Backups, Restores, Round } from "./rounds.ts";
import type { Peaks } from "./sampling.ts";
import type { StartsMeasured } from "./starts.ts";

export interface SettingResult {
  readonly setting: Setting;
  readonly rounds: readonly Round[];
  readonly figures: readonly Figure[];
}

/** What `--json` writes. Times are seconds, sizes bytes, rates MB (1,000,000 bytes) a second. */
export interface Result {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly databaseBytes: number;
  /** Null where it was not asked for. */
  readonly crypto: CryptoFigures | null;
  readonly cryptoFigures: readonly Figure[];
  /** Null where they were not asked for. */
  readonly starts: StartsMeasured | null;
  readonly startFigures: readonly Figure[];
  readonly settings: readonly SettingResult[];
  /** Settings that were asked for and could not be measured here, and why. */
  readonly skipped: Readonly<Partial<Record<Setting, string>>>;
}

const MIB = 1024 ** 2;

export function renderResult(result: Result): string {
  const { machine, databaseBytes, crypto, starts, settings, skipped } = result;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.processors} × ${machine.processor}, ${gib(machine.memoryBytes)} GiB, Linux ${machine.kernel}`,
    versions.join(", "),
    `database ${(databaseBytes / 1e6).toFixed(0)} MB`,
    ...settings.flatMap((each) => ["", ...renderSetting(each)]),
    ...Object.entries(skipped).flatMap(([setting, why]) => ["", `${setting}: not measured: ${why}`]),
    ...(crypto ? ["", "encryption", ...renderCrypto(crypto)] : []),
    ...result.cryptoFigures.map(renderFigure),
    ...(starts ? ["", "starts", ...renderStarts(starts)] : []),
    ...result.startFigures.map(renderFigure),
    "",
  ].join("\n");
}

function renderCrypto(crypto: CryptoFigures): string[] {
  return (["seal", "open"] as const).map((way) => {
    const { ours, age, ageEncryption } = crypto[way];
    return row(way, `ours ${ours} MB/s, age ${age} MB/s, age-encryption ${ageEncryption} MB/s`);
  });
}

function renderStarts(starts: StartsMeasured): string[] {
  return Object.entries(starts).map(([name, { seconds, cpuSeconds }]) =>
    row(
      name,
      `${(1000 * median(seconds)).toFixed(0)} ms, ${((1000 * cpuSeconds) / seconds.length).toFixed(0)} ms of CPU`,
    ),
  );
}

function renderSetting({ setting, rounds, figures }: SettingResult): string[] {
  const { backups, restores, puts, peers } = partsOf(rounds);
  return [
    `${setting}, ${rounds.length} rounds; median (each round)`,
    ...(backups.length > 0 ? renderBackups(backups) : []),
    ...(restores.length > 0 ? renderRestores(restores) : []),
    ...(puts.length > 0 ? renderPuts(puts) : []),
    ...(peers.length > 0 ? renderPeers(peers) : []),
    ...figures.map(renderFigure),
  ];
}

function renderBackups(backups: readonly Backups[]): string[] {
  const times = backupTimes(backups);
  const [first] = backups;
  const stages = Object.keys(first?.trivault.stages ?? {});
  return [
    row("sealed", `${((first?.trivault.bytes ?? 0) / 1e6).toFixed(0)} MB`),
    timeRow("(a) floor: dump, zstd, age", times.floor),
    timeRow("(b) usual script", times.script),
    timeRow("      of which sftp", times.scriptSftp),
    timeRow("      of which rclone", times.scriptS3),
    timeRow("(c) Trivault, three tiers", times.trivault),
    ...stages.map((stage) =>
      timeRow(
        `      ${stage} complete`,
        backups.map(({ trivault }) => trivault.stages[stage] ?? Number.NaN),
      ),
    ),
    timeRow("(e) programs alone, side by side", times.sideBySide),
    cpuRow(
      "client CPU, s: (a)",
      backups.map(({ floor }) => floor.cpu),
    ),
    cpuRow(
      "      (c)",
      backups.map(({ trivault }) => trivault.client),
    ),
    cpuRow(
      "      (e)",
      backups.map(({ sideBySide }) => sideBySide.cpu),
    ),
    row("server CPU, s: (a)", `postgres ${cpu(backups.map(({ floor }) => floor.serverCpuSeconds))}`),
    cpuRow(
      "      (c)",
      backups.map(({ trivault }) => trivault.servers),
    ),
    cpuRow(
      "      (e)",
      backups.map(({ sideBySide }) => sideBySide.servers),
    ),
    memoryRow(
      "peak memory, MiB: (b)",
      backups.flatMap(({ script }) => [script.dump.peaks, script.sftp.peaks, script.s3.peaks]),
    ),
    memoryRow(
      "      (c)",
      backups.map(({ trivault }) => trivault.peaks),
    ),
  ];
}

function renderRestores(restores: readonly Restores[]): string[] {
  return [
    timeRow(
      "(d) restore by hand",
      restores.map(({ byHand }) => byHand.seconds),
    ),
    ...[...restoreTimes(restores)].map(([tier, seconds]) => timeRow(`(d) restore from ${tier}`, seconds)),
    cpuRow(
      "client CPU, s: by hand",
      restores.map(({ byHand }) => byHand.cpu),
    ),
    ...Object.keys(restores[0]?.tiers ?? {}).map((tier) =>
      cpuRow(
        `      from ${tier}`,
        restores.map(({ tiers }) => tiers[tier]?.cpu ?? {}),
      ),
    ),
    memoryRow(
      "peak memory, MiB: by hand",
      restores.map(({ byHand }) => byHand.peaks),
    ),
    memoryRow(
      "      by Trivault",
      restores.flatMap(({ tiers }) => Object.values(tiers).map(({ peaks }) => peaks)),
    ),
  ];
}

function renderPeers(peers: readonly PeersMeasured[]): string[] {
  const seconds = peers.map(peerSeconds);
  return [
    timeRow(
      "restic, three times",
      seconds.map(({ restic }) => restic),
    ),
    timeRow(
      "GoBackup's method",
      seconds.map(({ gobackup }) => gobackup),
    ),
  ];
}

function renderPuts(puts: readonly PutRates[]): string[] {
  const of = (name: keyof PutRates) => median(puts.map((rates) => rates[name])).toFixed(0);
  return [
    row("SFTP put", `ours ${of("sftpStore")} MB/s, sftp ${of("sftpProgram")} MB/s`),
    row("S3 put", `ours ${of("s3Store")} MB/s, rclone ${of("rclone")} MB/s`),
  ];
}

/** The most that each program ever held, over all rounds. */
function memoryRow(title: string, all: readonly Peaks[]): string {
  const most = (program: string) => Math.max(...all.map((peaks) => peaks[program] ?? 0));
  const programs = [...new Set(all.flatMap((peaks) => Object.keys(peaks)))].filter((program) => most(program) >= MIB);
  return row(title, programs.map((program) => `${program} ${(most(program) / MIB).toFixed(0)}`).join(", "));
}

/** Parts of a sum, the largest first; parts that hardly count are left out. */
function cpuRow(title: string, rounds: readonly Readonly<Record<string, number>>[]): string {
  const names = Object.keys(rounds[0] ?? {});
  const parts = names.map((name) => ({ name, seconds: median(rounds.map((round) => round[name] ?? 0)) }));
  const shown = parts.filter(({ seconds }) => seconds >= 0.05).toSorted((a, b) => b.seconds - a.seconds);
  return row(title, shown.map(({ name, seconds }) => `${name} ${seconds.toFixed(2)}`).join(", "));
}

function timeRow(title: string, seconds: readonly number[]): string {
  const each = seconds.map((value) => value.toFixed(2)).join(" ");
  return row(title, `${median(seconds).toFixed(2)} s`.padEnd(12) + `(${each})`);
}

function renderFigure({ name, value, unit, target, met }: Figure): string {
  const shown = `${value.toFixed(unit === "segments" ? 0 : 2)} ${unit}`.padEnd(16);
  if (target === null) return row(name, shown.trimEnd());
  const wanted = "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
  return row(name, `${shown}${wanted.padEnd(8)}${met ? "met" : "MISSED"}`);
}

const row = (title: string, rest: string) => `  ${title.padEnd(34)}${rest}`;
const cpu = (seconds: readonly number[]) => median(seconds).toFixed(2);
const gib = (bytes: number) => (bytes / 1024 ** 3).toFixed(0);
