import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type AuditLog, auditFolder, openAuditLog } from "@trivault/audit";
import { copyStage, siteTrust, type StageContext } from "@trivault/backup";
import {
  backupKey,
  type Config,
  encodeManifest,
  MANIFEST,
  newBackupId,
  resolveConfig,
  sha256Hex,
  silentLogger,
} from "@trivault/core";
import { loadOrCreateSigningKey, signManifest, type SigningKey } from "@trivault/crypto";
import { backupHealth, listSite, type MaintenanceSite, maintainTier, scanTier } from "@trivault/maintenance";
import { bytesSource, openTiers, type Tier } from "@trivault/storage";
import { makeTempDir, startCeph } from "@trivault/testkit";
import { describeMachine } from "./machine.ts";

/**
 * What listing, maintenance and health cost where there are many backups: 10,000 on the local disk, 2,000 of them on a real
 * S3 server; tiny ones, as only their number counts. `npx node bench/inventory.ts [backups on local] [of those on S3]`.
 */
const [LOCAL = 10_000, CLOUD = 2_000] = process.argv.slice(2).map(Number);
const DATABASES = 10;
const BUCKET = "trivault-inventory";
const HOUR_MS = 3_600_000;

interface Backup {
  readonly database: string;
  readonly backupId: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const figures: Record<string, string> = {};

await using folder = await makeTempDir("tv-inventory");
await using ceph = await startCeph();
await ceph.createBucket(BUCKET);
Object.assign(process.env, { AWS_ACCESS_KEY_ID: ceph.accessKey, AWS_SECRET_ACCESS_KEY: ceph.secretKey });
const base = resolveConfig(
  {
    DATABASE_URL: "postgresql://nobody@localhost/db0",
    BACKUP_DIR: path.join(folder.path, "backups"),
    BACKUP_ENCRYPTION: "none",
    BACKUP_RETENTION: "off",
    BACKUP_S3_BUCKET: BUCKET,
    BACKUP_S3_ENDPOINT: ceph.endpoint,
    BACKUP_CLOUD_REGION: "us-east-1",
  },
  "backup",
);
await measure(withDatabases(base));
process.stdout.write(`${JSON.stringify({ machine: await describeMachine(""), LOCAL, CLOUD, figures }, null, 2)}\n`);

async function measure(site: Config): Promise<void> {
  const tiers = openTiers(site.tiers);
  const [local, cloud] = tiers;
  if (!local || !cloud) throw new Error("two tiers are configured");
  const audit = openAuditLog(auditFolder(site.backupDir));
  try {
    const signingKey = await loadOrCreateSigningKey(site.signingKeyFile);
    const backups = makeBackups(signingKey);
    say(`putting ${LOCAL} backups on the local disk and ${CLOUD} of them on S3`);
    await eachOf(backups, 16, (backup) => writeLocally(site.backupDir, backup));
    await eachOf(backups.slice(-CLOUD), 32, (backup) => putOn(cloud, backup));
    await measureLooks(site, tiers, audit);
    await measureMaintenance({ site, tiers: [local, cloud], signingKey, audit });
  } finally {
    await audit.close();
    await Promise.all(tiers.map(({ store }) => store.close()));
  }
}

async function measureLooks(site: Config, tiers: readonly Tier[], audit: AuditLog): Promise<void> {
  const signal = AbortSignal.timeout(600_000);
  const now = () => new Date();
  const trust = await siteTrust({ config: site });
  for (const tier of tiers) {
    await timed(`listing ${tier.name}`, () => Array.fromAsync(tier.store.list("", { signal })));
    for (const which of ["first", "second", "third"]) {
      await timed(`${which} scan of ${tier.name}`, () => scanTier({ config: site, now }, tier, { signal, trust }));
    }
  }
  await timed("list, as `backup:list`", () => listSite({ config: site, tiers, now }, { signal }));
  await timed("list --fresh", () => listSite({ config: site, tiers, now }, { signal, fresh: true }));
  const deps = { config: site, tiers, now, databases: site.databases, audit, signal };
  await timed("health, as `backup:health`", () => backupHealth(deps));
  await timed("health --fresh", () => backupHealth({ ...deps, fresh: true }));
}

async function measureMaintenance(parts: {
  site: Config;
  tiers: [Tier, Tier];
  signingKey: SigningKey;
  audit: AuditLog;
}): Promise<void> {
  const { site: config, tiers, signingKey, audit } = parts;
  const started: Parameters<typeof copyStage>[1][] = [];
  const context: StageContext = {
    signal: AbortSignal.timeout(600_000),
    log: silentLogger(),
    note: () => undefined,
    progress: () => undefined,
    start: async (next) => void (next.stage === "copy" && started.push(next)),
  };
  const site: MaintenanceSite = {
    config,
    tiers,
    now: () => new Date(),
    signingKey: async () => signingKey,
    record: audit.record,
    sealer: () => {
      throw new Error("nothing is sealed here");
    },
  };
  await timed("a round of maintenance of local", () => maintainTier(site, tiers[0].name, context));
  await timed(`a round of cloud, which lacks ${LOCAL - CLOUD}`, () => maintainTier(site, tiers[1].name, context));
  await timed(`the ${started.length} copies that it started, 3 at a time`, () =>
    eachOf(started, 3, (next) => copyStage(site, next, context)),
  );
}

function withDatabases(config: Config): Config {
  const databases = Array.from({ length: DATABASES }, (_, i) =>
    config.databases.map((database) => ({ ...database, name: `db${i}` })),
  );
  return { ...config, databases: databases.flat() };
}

/** Hourly ones, of ten databases in turn, up to now. */
function makeBackups(signingKey: SigningKey): Backup[] {
  return Array.from({ length: LOCAL }, (_, i) => {
    const at = new Date(Date.now() - Math.floor((LOCAL - i) / DATABASES) * HOUR_MS);
    const backupId = newBackupId(at);
    const database = `db${i % DATABASES}`;
    const objects = ["data-000001.zst", "details.zst", "globals.zst"].map((name) => {
      const bytes = Buffer.from(`${name} of ${backupId}`);
      const sha256 = sha256Hex(bytes);
      return { bytes, segment: { name, size: bytes.length, sha256, plainSize: bytes.length, plainSha256: sha256 } };
    });
    const manifest = signManifest(
      {
        format: "trivault-backup",
        version: 1,
        id: backupId,
        database,
        startedAt: at.toISOString(),
        completedAt: at.toISOString(),
        tools: {},
        server: { version: "17.0", major: 17 },
        encryption: "none",
        recipients: [],
        segments: objects.map(({ segment }) => segment),
      },
      signingKey,
    );
    const files = new Map<string, Uint8Array>(objects.map(({ segment, bytes }) => [segment.name, bytes]));
    return { database, backupId, files: files.set(MANIFEST, encodeManifest(manifest)) };
  });
}

/** Past the store, which would sync each of them. */
async function writeLocally(directory: string, { database, backupId, files }: Backup): Promise<void> {
  const at = path.join(directory, database, backupId);
  await mkdir(at, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of files) await writeFile(path.join(at, name), bytes, { mode: 0o600 });
}

async function putOn({ store }: Tier, { database, backupId, files }: Backup): Promise<void> {
  for (const [name, bytes] of files) await store.put(backupKey(database, backupId, name), bytesSource(bytes));
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const text = `${((performance.now() - begun) / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of CPU)`;
  figures[what] = text;
  say(`${what}: ${text}`);
}

async function eachOf<T>(items: readonly T[], limit: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items].values();
  const next = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, next));
}
