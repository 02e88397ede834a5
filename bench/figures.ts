import { median as medianOrNull } from "@trivault/core";
import type { Setting } from "./options.ts";
import { peerSeconds, type PeersMeasured } from "./peers.ts";
import type { PutRates } from "./put-rates.ts";
import type { Backups, Restores, Round } from "./rounds.ts";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: "×" | "MiB" | "segments" | "s/GiB";
  /** Null for what is only reported. */
  readonly target: { readonly atMost: number } | { readonly atLeast: number } | null;
  readonly met: boolean | null;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Of what was measured. */
export function figuresOf(setting: Setting, rounds: readonly Round[]): Figure[] {
  const { backups, restores, puts, peers } = partsOf(rounds);
  return [
    ...(backups.length > 0 ? [...backupFigures(setting, backups), ...costFigures(backups)] : []),
    ...(puts.length > 0 ? putFigures(puts) : []),
    ...restoreFigures(restores),
    ...(peers.length > 0 && backups.length > 0 ? peerFigures(backups, peers) : []),
  ];
}

export interface Parts {
  readonly backups: readonly Backups[];
  readonly restores: readonly Restores[];
  readonly puts: readonly PutRates[];
  readonly peers: readonly PeersMeasured[];
}

/** One of each for each round, or none. */
export function partsOf(rounds: readonly Round[]): Parts {
  const all = <T>(pick: (round: Round) => T | null) => rounds.map(pick).filter((part) => part !== null);
  return {
    backups: all((round) => round.backups),
    restores: all((round) => round.restores),
    puts: all((round) => round.puts),
    peers: all((round) => round.peers),
  };
}

/** Wall-clock seconds of each measurement, one for each round. */
export function backupTimes(backups: readonly Backups[]) {
  return {
    floor: backups.map(({ floor }) => floor.seconds),
    script: backups.map(({ script }) => script.seconds),
    scriptSftp: backups.map(({ script }) => script.sftp.seconds),
    scriptS3: backups.map(({ script }) => script.s3.seconds),
    sideBySide: backups.map(({ sideBySide }) => sideBySide.seconds),
    trivault: backups.map(({ trivault }) => trivault.seconds),
  };
}

export function restoreTimes(restores: readonly Restores[]): Map<string, number[]> {
  const tiers = Object.keys(restores[0]?.tiers ?? {});
  return new Map(tiers.map((tier) => [tier, restores.map((each) => each.tiers[tier]?.seconds ?? Number.NaN)]));
}

function backupFigures(setting: Setting, backups: readonly Backups[]): Figure[] {
  const seconds = backupTimes(backups);
  const trivault = median(seconds.trivault);
  const toScript = (limit: number) => atMost("(c) / (b)", trivault / median(seconds.script), limit);
  const sideBySide = median(seconds.sideBySide);
  if (setting === "loopback") {
    return [
      toScript(0.82),
      atMost("(c) / (a)", trivault / median(seconds.floor), 1.35),
      withoutTarget("(c) / (e)", trivault / sideBySide, "×"),
      withoutTarget("(e) / (a)", sideBySide / median(seconds.floor), "×"),
    ];
  }
  const slowest = Math.max(...[seconds.floor, seconds.scriptSftp, seconds.scriptS3].map(median));
  return [
    toScript(0.5),
    atMost("(c) / its slowest single stage", trivault / slowest, 1.15),
    withoutTarget("(c) / (e)", trivault / sideBySide, "×"),
  ];
}

/** Memory, room and processor time. */
function costFigures(backups: readonly Backups[]): Figure[] {
  const most = (pick: (backup: Backups["trivault"]) => number) =>
    Math.max(...backups.map(({ trivault }) => pick(trivault)));
  return [
    atMost("worker, peak memory", most(({ peaks }) => peaks["worker"] ?? 0) / MIB, 200, "MiB"),
    atMost(
      "spool, most segments at once",
      most(({ spool }) => spool.segments),
      5,
      "segments",
    ),
    withoutTarget("spool, most bytes at once", most(({ spool }) => spool.bytes) / MIB, "MiB"),
    atMost("client CPU of (c) beyond (a)", median(backups.map(clientCpuPerGib)), 5, "s/GiB"),
    withoutTarget("client CPU of (e) beyond (a)", median(backups.map(sideBySideCpuPerGib)), "s/GiB"),
    withoutTarget("server CPU of (c) beyond (a)", median(backups.map(serverCpuPerGib)), "s/GiB"),
    withoutTarget("server CPU of (e) beyond (a)", median(backups.map(sideBySideServerPerGib)), "s/GiB"),
  ];
}

function putFigures(puts: readonly PutRates[]): Figure[] {
  const of = (name: keyof PutRates) => median(puts.map((rates) => rates[name]));
  return [
    atLeast("SFTP put rate / sftp", of("sftpStore") / of("sftpProgram"), 1),
    atLeast("S3 put rate / rclone", of("s3Store") / of("rclone"), 1),
  ];
}

function restoreFigures(restores: readonly Restores[]): Figure[] {
  const byHand = median(restores.map((each) => each.byHand.seconds));
  return [...restoreTimes(restores)].map(([tier, seconds]) =>
    atMost(`restore from ${tier} / by hand`, median(seconds) / byHand, 1.15),
  );
}

function peerFigures(backups: readonly Backups[], peers: readonly PeersMeasured[]): Figure[] {
  const trivault = median(backupTimes(backups).trivault);
  const seconds = peers.map(peerSeconds);
  return [
    withoutTarget("(c) / restic three times", trivault / median(seconds.map(({ restic }) => restic)), "×"),
    withoutTarget("(c) / GoBackup's method", trivault / median(seconds.map(({ gobackup }) => gobackup)), "×"),
  ];
}

/** What of a backup went over the network: the remote and the cloud copy. */
function gibMoved({ trivault }: Backups): number {
  return (2 * trivault.bytes) / GIB;
}

function clientCpuPerGib(backups: Backups): number {
  return (sum(Object.values(backups.trivault.client)) - backups.floor.cpuSeconds) / gibMoved(backups);
}

function sideBySideCpuPerGib(backups: Backups): number {
  return (backups.sideBySide.cpuSeconds - backups.floor.cpuSeconds) / gibMoved(backups);
}

function serverCpuPerGib(backups: Backups): number {
  return (sum(Object.values(backups.trivault.servers)) - backups.floor.serverCpuSeconds) / gibMoved(backups);
}

function sideBySideServerPerGib(backups: Backups): number {
  return (sum(Object.values(backups.sideBySide.servers)) - backups.floor.serverCpuSeconds) / gibMoved(backups);
}

export function median(values: readonly number[]): number {
  return medianOrNull(values) ?? Number.NaN;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function atMost(name: string, value: number, limit: number, unit: Figure["unit"] = "×"): Figure {
  return { name, value, unit, target: { atMost: limit }, met: value <= limit };
}

export function atLeast(name: string, value: number, limit: number): Figure {
  return { name, value, unit: "×", target: { atLeast: limit }, met: value >= limit };
}

function withoutTarget(name: string, value: number, unit: Figure["unit"]): Figure {
  return { name, value, unit, target: null, met: null };
}
