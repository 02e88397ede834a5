import { median as medianOrNull } from "@trivault/core";
import type { Setting } from "./options.ts";
import type { PutRates } from "./put-rates.ts";
import type { Round } from "./rounds.ts";

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

export function figuresOf(setting: Setting, rounds: readonly Round[]): Figure[] {
  const seconds = timesOf(rounds);
  const restores = [...seconds.restores].map(([tier, each]) =>
    atMost(`restore from ${tier} / by hand`, median(each) / median(seconds.restoreByHand), 1.15),
  );
  const worker = Math.max(...rounds.map(({ trivault }) => trivault.peaks["worker"] ?? 0));
  const segments = Math.max(...rounds.map(({ trivault }) => trivault.spool.segments));
  const spooled = Math.max(...rounds.map(({ trivault }) => trivault.spool.bytes));
  return [
    ...backupFigures(setting, seconds),
    ...putFigures(rounds.map((round) => round.puts)),
    ...restores,
    atMost("worker, peak memory", worker / MIB, 200, "MiB"),
    atMost("spool, most segments at once", segments, 5, "segments"),
    withoutTarget("spool, most bytes at once", spooled / MIB, "MiB"),
    atMost("client CPU of (c) beyond (a)", median(rounds.map(clientCpuPerGib)), 5, "s/GiB"),
    withoutTarget("server CPU of (c) beyond (a)", median(rounds.map(serverCpuPerGib)), "s/GiB"),
  ];
}

/** Wall-clock seconds of each measurement, one for each round. */
export interface Times {
  readonly floor: readonly number[];
  readonly script: readonly number[];
  readonly scriptSftp: readonly number[];
  readonly scriptS3: readonly number[];
  readonly trivault: readonly number[];
  readonly restoreByHand: readonly number[];
  readonly restores: ReadonlyMap<string, readonly number[]>;
}

export function timesOf(rounds: readonly Round[]): Times {
  const tiers = Object.keys(rounds[0]?.restores ?? {});
  return {
    floor: rounds.map((round) => round.floor.seconds),
    script: rounds.map((round) => round.script.seconds),
    scriptSftp: rounds.map((round) => round.script.sftp.seconds),
    scriptS3: rounds.map((round) => round.script.s3.seconds),
    trivault: rounds.map((round) => round.trivault.seconds),
    restoreByHand: rounds.map((round) => round.restoreByHand.seconds),
    restores: new Map(tiers.map((tier) => [tier, rounds.map((round) => round.restores[tier]?.seconds ?? Number.NaN)])),
  };
}

function backupFigures(setting: Setting, seconds: Times): Figure[] {
  const trivault = median(seconds.trivault);
  const toScript = (limit: number) => atMost("(c) / (b)", trivault / median(seconds.script), limit);
  if (setting === "loopback") return [toScript(0.82), atMost("(c) / (a)", trivault / median(seconds.floor), 1.35)];
  const slowest = Math.max(...[seconds.floor, seconds.scriptSftp, seconds.scriptS3].map(median));
  return [toScript(0.5), atMost("(c) / its slowest single stage", trivault / slowest, 1.15)];
}

function putFigures(puts: readonly PutRates[]): Figure[] {
  const of = (name: keyof PutRates) => median(puts.map((rates) => rates[name]));
  return [
    atLeast("SFTP put rate / sftp", of("sftpStore") / of("sftpProgram"), 1),
    atLeast("S3 put rate / rclone", of("s3Store") / of("rclone"), 1),
  ];
}

/** What of a backup went over the network: the remote and the cloud copy. */
function gibMoved({ trivault }: Round): number {
  return (2 * trivault.bytes) / GIB;
}

function clientCpuPerGib(round: Round): number {
  return (sum(Object.values(round.trivault.client)) - round.floor.cpuSeconds) / gibMoved(round);
}

function serverCpuPerGib(round: Round): number {
  return (sum(Object.values(round.trivault.servers)) - round.floor.serverCpuSeconds) / gibMoved(round);
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
