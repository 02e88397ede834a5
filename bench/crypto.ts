import { median } from "./figures.ts";
import { hash, randomFillSync } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Decrypter, Encrypter } from "age-encryption";
import type { Segment } from "@trivault/core";
import { createOpener, createSealer, generateKeys, type KeyPair, writeIdentityFile } from "@trivault/crypto";
import { runPipeline } from "./pipeline.ts";

const MIB = 1024 * 1024;
const SEGMENT = 32 * MIB;
const SEGMENTS = 16;
const BYTES = SEGMENTS * SEGMENT;
const ROUNDS = 3;
/** As in packages/backup/src/restore-source.ts. */
const AHEAD = 2;
/** age-encryption's own rate does not depend on the size, and 512 MiB would take it ten seconds. */
const LIBRARY_BYTES = 64 * MIB;

/** MB/s (10^6 bytes) of plaintext, from file to file; medians of three rounds in turn. */
export interface Rates {
  /** The SHA-256 included, which the others do not compute. */
  readonly ours: number;
  readonly age: number;
  /** age-encryption's own payload cipher, in memory. */
  readonly ageEncryption: number;
  readonly oursToAge: number;
  readonly oursToAgeEncryption: number;
  readonly cpuSecondsPerGiB: { readonly ours: number; readonly age: number };
}

export interface CryptoFigures {
  readonly bytes: number;
  readonly sha256: number;
  readonly seal: Rates;
  readonly open: Rates;
}

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
}
interface Round {
  readonly ours: Run;
  readonly age: Run;
  readonly ageEncryption: number;
  readonly sha256: number;
}

/** Sealing and opening 512 MiB that do not compress, on tmpfs where there is one: ours, the `age` program, age-encryption. */
export async function measureCrypto(): Promise<CryptoFigures> {
  const folder = await mkdtemp(path.join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "trivault-bench-crypto-"));
  try {
    const keys = await generateKeys();
    await writeIdentityFile(path.join(folder, "identity"), keys, null);
    const sample = await makeInput(folder);
    const seals: Round[] = [];
    const opens: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const sealed = await sealAll(folder, keys);
      const age = await runPipeline([{ file: "age", args: ["-r", keys.recipient] }], files(folder, "input", "age"));
      const library = await ageEncryption(keys, sample);
      const sha256 = secondsToHash(sample);
      seals.push({ ours: sealed.run, age, ageEncryption: library.encrypt, sha256 });

      const opened = await openAll(folder, keys, sealed.segments);
      const identity = path.join(folder, "identity");
      const opening = await runPipeline([{ file: "age", args: ["-d", "-i", identity] }], files(folder, "age", "plain"));
      opens.push({ ours: opened, age: opening, ageEncryption: library.decrypt, sha256 });
      await rm(path.join(folder, "plain"));
    }
    const sha256 = median(seals.map((round) => round.sha256));
    return { bytes: BYTES, sha256: rate(sha256), seal: ratesOf(seals), open: ratesOf(opens) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const part = (folder: string, index: number) => path.join(folder, `part-${index}`);
const files = (folder: string, input: string, output: string) => ({
  input: path.join(folder, input),
  output: path.join(folder, output),
});

/** The same bytes as one file, for `age`, and as segments; returns the first of them. */
async function makeInput(folder: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(SEGMENT);
  for (let index = 0; index < SEGMENTS; index++) {
    randomFillSync(bytes);
    await writeFile(part(folder, index), bytes);
    await appendFile(path.join(folder, "input"), bytes);
  }
  return bytes;
}

/** Two segments at a time, from file to file, as a worker does for two backups. */
async function sealAll(folder: string, { recipient }: KeyPair): Promise<{ run: Run; segments: Segment[] }> {
  const sealer = createSealer({ recipients: [recipient], segmentSize: SEGMENT });
  const indices = Array.from({ length: SEGMENTS }, (_, index) => index);
  const sealOne = async (index: number): Promise<Segment> => {
    await using target = await open(`${part(folder, index)}.age`, "w");
    const listed = await sealer.seal(part(folder, index), target.fd);
    return { name: `data-${String(index + 1).padStart(6, "0")}.zst.age`, ...listed };
  };
  // A worker's threads and memory are there before the first segment.
  await Promise.all(indices.slice(0, 2).map(sealOne));
  let segments: Segment[] = [];
  const run = await timed(async () => {
    segments = await Promise.all(indices.map(sealOne));
  });
  await sealer.close();
  return { run, segments };
}

/** As a restore does: two segments are read and opened while the one before them is written. */
async function openAll(folder: string, { identity }: KeyPair, segments: readonly Segment[]): Promise<Run> {
  const opener = createOpener([identity]);
  const memory = Array.from({ length: AHEAD + 1 }, () => new ArrayBuffer(SEGMENT + MIB));
  const output = await open(path.join(folder, "plain"), "w");
  const openOne = async (index: number, segment: Segment): Promise<Uint8Array> => {
    const bytes = new Uint8Array(memory[index % memory.length] ?? new ArrayBuffer(segment.size), 0, segment.size);
    const file = await open(`${part(folder, index)}.age`, "r");
    await file.read(bytes, 0, segment.size, 0);
    await file.close();
    return opener.open(bytes, segment);
  };
  const run = await timed(async () => {
    const ahead = segments.slice(0, AHEAD).map((segment, index) => openOne(index, segment));
    for (const index of segments.keys()) {
      const plain = (await ahead.shift()) ?? new Uint8Array();
      const next = segments[index + AHEAD];
      if (next) ahead.push(openOne(index + AHEAD, next));
      await output.write(plain);
      memory[index % memory.length] = plain.buffer as ArrayBuffer;
    }
  });
  await output.close();
  const { size } = await stat(path.join(folder, "plain"));
  if (size !== BYTES) throw new Error(`${size} bytes came back instead of ${BYTES}.`);
  await opener.close();
  return run;
}

async function ageEncryption(keys: KeyPair, sample: Uint8Array): Promise<{ encrypt: number; decrypt: number }> {
  const plain = new Uint8Array(LIBRARY_BYTES);
  for (let start = 0; start < plain.length; start += sample.length) plain.set(sample, start);
  const encrypter = new Encrypter();
  encrypter.addRecipient(keys.recipient);
  const decrypter = new Decrypter();
  decrypter.addIdentity(keys.identity);
  let sealed: Uint8Array = plain;
  const encrypt = await timed(async () => {
    sealed = await encrypter.encrypt(plain);
  });
  const decrypt = await timed(async () => {
    await decrypter.decrypt(sealed);
  });
  const scale = BYTES / LIBRARY_BYTES;
  return { encrypt: encrypt.seconds * scale, decrypt: decrypt.seconds * scale };
}

function secondsToHash(sample: Uint8Array): number {
  const begun = performance.now();
  hash("sha256", sample);
  return ((performance.now() - begun) / 1000) * SEGMENTS;
}

async function timed(work: () => Promise<void>): Promise<Run> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

function ratesOf(rounds: readonly Round[]): Rates {
  const ours = median(rounds.map((round) => round.ours.seconds));
  const age = median(rounds.map((round) => round.age.seconds));
  const library = median(rounds.map((round) => round.ageEncryption));
  const perGiB = (who: "ours" | "age") => median(rounds.map((round) => round[who].cpuSeconds)) / (BYTES / 1024 ** 3);
  return {
    ours: rate(ours),
    age: rate(age),
    ageEncryption: rate(library),
    oursToAge: twoDigits(age / ours),
    oursToAgeEncryption: twoDigits(library / ours),
    cpuSecondsPerGiB: { ours: twoDigits(perGiB("ours")), age: twoDigits(perGiB("age")) },
  };
}

const rate = (seconds: number) => Math.round(BYTES / 1e6 / seconds);
const twoDigits = (value: number) => Math.round(value * 100) / 100;

if (import.meta.main) console.log(JSON.stringify(await measureCrypto(), null, 2));
