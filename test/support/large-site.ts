import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { finished } from "node:stream/promises";
import { auditFolder } from "@trivault/audit";
import { type Config, directoryOf, newBackupId, resolveConfig } from "@trivault/core";
import type { TierSample } from "@trivault/monitor";
import { writeCache } from "../../packages/maintenance/src/inventory/cache.ts";

/**
 * What a large site that has been running for weeks leaves in its files: configuration, inventories of three tiers, the audit log
 * with its hash chain, and the samples of the tiers. No backup lies anywhere; whoever only looks does not notice, for half an
 * hour: then the tiers would be scanned.
 */
export interface LargeSite {
  readonly config: Config;
  /** For services: with it they read the same configuration. */
  readonly env: Readonly<Record<string, string>>;
  readonly databases: readonly string[];
  /** By database, oldest first. */
  readonly backups: ReadonlyMap<string, readonly string[]>;
  readonly events: number;
}

export interface LargeSiteOptions {
  readonly databases?: number;
  /** The number of all databases together, hourly ones. */
  readonly backups?: number;
  /** So many of the first databases have no cloud copy of their last six backups, and every other of them no newer dump. */
  readonly failing?: number;
  readonly now?: Date;
  readonly env?: Readonly<Record<string, string>>;
}

const HOUR_MS = 3_600_000;
const TIERS = ["local", "remote", "cloud"] as const;
const FAILED_HOURS = 6;
const GROWTH = 1.0005;

interface Made {
  readonly database: string;
  readonly backupId: string;
  readonly begun: number;
  readonly bytes: number;
  readonly dumped: boolean;
  readonly tiers: readonly string[];
}

/** Writes it under a folder that is there. */
export async function makeLargeSite(folder: string, options: LargeSiteOptions = {}): Promise<LargeSite> {
  const { databases: count = 300, backups: total = 100_000, failing = 0, now = new Date() } = options;
  const names = Array.from({ length: count }, (_, index) => `db${String(index).padStart(3, "0")}`);
  const backupDir = path.join(folder, "backups");
  const configFile = path.join(folder, "trivault.config.yaml");
  const env = {
    BACKUP_DIR: backupDir,
    BACKUP_CONFIG: configFile,
    BACKUP_ENCRYPTION: "none",
    BACKUP_SIGNING_KEY_FILE: path.join(folder, "signing.key"),
    ...options.env,
  };
  for (const tier of TIERS) await mkdir(path.join(folder, tier), { recursive: true, mode: 0o700 });
  await mkdir(path.join(backupDir, ".trivault/monitor"), { recursive: true, mode: 0o700 });
  await writeFile(configFile, yamlOf(folder, names, Math.ceil(total / count)), { mode: 0o600 });
  const made = makeBackups(names, total, failing, now.getTime());
  const config = resolveConfig(env, "backup");
  for (const tier of TIERS) await writeInventory(config, tier, made, now);
  const events = await writeRecord(auditFolder(backupDir), made);
  for (const tier of TIERS) await writeSamples(backupDir, tier, made, now);
  const stored = made.filter(({ dumped }) => dumped);
  const byDatabase = Map.groupBy(stored, ({ database }) => database);
  const backups = new Map([...byDatabase].map(([name, those]) => [name, those.map(({ backupId }) => backupId)]));
  return { config, env, databases: names, backups, events };
}

function yamlOf(folder: string, names: readonly string[], hours: number): string {
  const databases = names.map((name) => `  ${name}: { url: "postgresql://backup@db.example.org/${name}" }`);
  return `schedule: "0 * * * *"
retention: { hourly: ${hours + 48}, daily: 60, atLeast: 2 }
tiers:
  remote: { kind: local, directory: ${path.join(folder, "remote")} }
  cloud: { kind: local, directory: ${path.join(folder, "cloud")}, prices: { STANDARD: 0.02 } }
databases:
${databases.join("\n")}
`;
}

/** In the order in which they were begun. */
function makeBackups(names: readonly string[], total: number, failing: number, now: number): Made[] {
  const made: Made[] = [];
  const hours = Math.ceil(total / names.length);
  // The last hour's are done: the newest was begun some minutes ago.
  const last = now - 20 * 60_000;
  for (let hour = hours - 1; hour >= 0; hour -= 1) {
    for (const [index, database] of names.entries()) {
      if (made.length === total) break;
      const begun = last - hour * HOUR_MS - Math.round(((names.length - index) * 300_000) / names.length);
      const bad = index < failing && hour < FAILED_HOURS;
      const dumped = !(bad && index % 2 === 1);
      made.push({
        database,
        backupId: newBackupId(new Date(begun)),
        begun,
        bytes: sizeOf(index, hours - hour),
        dumped,
        tiers: bad ? TIERS.filter((tier) => tier !== "cloud") : TIERS,
      });
    }
  }
  return made;
}

function sizeOf(database: number, age: number): number {
  return Math.round((1 + (database % 50)) * 20_000_000 * GROWTH ** age);
}

/** Room for another month or so at the rate of the last weeks. */
function capacityFor(made: readonly Made[]): { free: number; total: number } {
  const bytes = made.reduce((sum, one) => sum + one.bytes, 0);
  const hours = ((made.at(-1)?.begun ?? 0) - (made[0]?.begun ?? 0)) / HOUR_MS + 1;
  const free = Math.round((bytes / hours) * 24 * 30);
  return { free, total: Math.round(1.2 * (free + bytes)) };
}

async function writeInventory(config: Config, tier: string, made: readonly Made[], now: Date): Promise<void> {
  const copies = made
    .filter(({ dumped, tiers }) => dumped && tiers.includes(tier))
    .toSorted((a, b) => (`${a.database}/${a.backupId}` < `${b.database}/${b.backupId}` ? -1 : 1))
    .map(({ database, backupId, begun, bytes }) => ({
      database,
      backupId,
      state: "complete" as const,
      problem: null,
      lastState: null,
      stamps: "",
      bytes: bytes + 900,
      objects: 8,
      newestAt: new Date(begun + 60_000),
      classes: {},
      manifest: { size: 900, modifiedAt: new Date(begun + 60_000) },
      expected: { objects: 7, bytes },
    }));
  const capacity = capacityFor(made);
  await writeCache(config, { inventory: { tier, scannedAt: now, capacity, copies }, trust: "none" });
}

/** Dump, sealing and copies of each: some retried once, so that the audit log is as long as a real one. */
async function writeRecord(folder: string, made: readonly Made[]): Promise<number> {
  const lines = made.flatMap(linesOf).toSorted((a, b) => a.at - b.at);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let prev = "0".repeat(64);
  let seq = 0;
  let file = "";
  let size = 0;
  let at = new Date(0).toISOString();
  let out: ReturnType<typeof createWriteStream> | null = null;
  const end = async () => {
    out?.end();
    if (out) await finished(out);
  };
  const common = { host: hostname(), pid: process.pid };
  for (const line of lines) {
    at = new Date(line.at).toISOString();
    if (file !== `${at.slice(0, 7)}.jsonl`) {
      await end();
      file = `${at.slice(0, 7)}.jsonl`;
      size = 0;
      out = createWriteStream(path.join(folder, file), { mode: 0o600 });
    }
    seq += 1;
    const body = JSON.stringify({ seq, at, ...line.event, ...common, id: randomUUID(), prev });
    const hash = createHash("sha256").update(body).digest("hex");
    const text = `${body.slice(0, -1)},"hash":"${hash}"}\n`;
    prev = hash;
    size += Buffer.byteLength(text);
    if (out?.write(text) === false) await once(out, "drain");
  }
  await end();
  const head = { seq, at, hash: prev, file, size };
  await writeFile(path.join(folder, "head.json"), `${JSON.stringify(head)}\n`, { mode: 0o600 });
  return seq;
}

interface Line {
  readonly at: number;
  readonly event: object;
}

function linesOf({ database, backupId, begun, bytes, dumped, tiers }: Made): Line[] {
  const about = { actor: "schedule", database, backupId };
  const slot = new Date(Math.floor(begun / HOUR_MS) * HOUR_MS).toISOString();
  const problem = (code: string, message: string) => ({ outcome: "failed", error: { code, message } });
  if (!dumped) {
    const failed = problem(
      "DATABASE_REFUSED",
      "The server does not let the user backup in: password authentication failed.",
    );
    return [
      {
        at: begun + 5000,
        event: {
          action: "backup.dump",
          ...about,
          ...failed,
          seconds: 5,
          details: { slot, attempt: 3, retried: false },
        },
      },
    ];
  }
  const seconds = 20 + bytes / 50e6;
  const done = (action: string, after: number, more: object): Line => ({
    at: begun + after * 1000,
    event: { action, outcome: "ok", ...about, ...more, seconds, bytes, details: { attempt: 1 } },
  });
  const lines = [
    {
      at: begun + seconds * 1000,
      event: { action: "backup.dump", outcome: "ok", ...about, seconds, bytes, details: { slot, attempt: 1 } },
    },
    done("backup.encrypt", seconds + 1, { tier: "local" }),
  ];
  for (const tier of TIERS.slice(1)) {
    if (tiers.includes(tier)) lines.push(done("backup.copy", seconds + 3, { tier }));
    else {
      const failed = problem(
        "STORE_REFUSED",
        "The bucket does not take it: AccessDenied. See that the key may still write there.",
      );
      lines.push({
        at: begun + 30_000,
        event: {
          action: "backup.copy",
          ...about,
          tier,
          ...failed,
          seconds: 3,
          details: { attempt: 1, retried: false },
        },
      });
    }
  }
  return lines;
}

async function writeSamples(backupDir: string, tier: string, made: readonly Made[], now: Date): Promise<void> {
  const samples: TierSample[] = [];
  let bytes = 0;
  let copies = 0;
  let next = 0;
  const { free, total } = capacityFor(made);
  const mine = made.filter(({ dumped, tiers }) => dumped && tiers.includes(tier));
  const all = mine.reduce((sum, one) => sum + one.bytes, 0);
  for (let at = now.getTime() - 14 * 24 * HOUR_MS; at <= now.getTime(); at += HOUR_MS) {
    for (let one = mine[next]; one !== undefined && one.begun <= at; one = mine[++next]) {
      bytes += one.bytes;
      copies += 1;
    }
    const time = new Date(at).toISOString();
    samples.push({ at: time, bytes, copies, free: free + all - bytes, total, latencySeconds: 0.02 });
  }
  const text = samples.map((sample) => `${JSON.stringify(sample)}\n`).join("");
  await writeFile(path.join(backupDir, ".trivault/monitor", `${directoryOf(tier)}.jsonl`), text, { mode: 0o600 });
}
