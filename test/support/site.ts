import path from "node:path";
import { type BackupRef, listCopies, loadTrust, verifyCopy } from "@trivault/backup";
import { type Config, resolveConfig } from "@trivault/core";
import { generateKeys, loadOrCreateSigningKey, writeIdentityFile } from "@trivault/crypto";
import { isMoving, stateOfJobs } from "@trivault/monitor";
import {
  closeQueues,
  connectRedis,
  openQueues,
  type Queues,
  requestBackup,
  type RunStatus,
  runStatus,
  siteJobKey,
} from "@trivault/queue";
import { openTiers, type Tier } from "@trivault/storage";
import {
  type Ceph,
  createSampleDatabase,
  makeTempDir,
  type PostgresServer,
  type RedisServer,
  sharedCeph,
  type Sshd,
  startPostgres,
  startRedis,
  startSshd,
  until,
} from "@trivault/testkit";
import type { Redis } from "ioredis";
import { startProgram } from "./program.ts";

export const DATABASE = "shop";
/** A round of maintenance, and what it starts, takes about as long. */
const ROUND_SECONDS = 5;

/** A whole site on real parts: PostgreSQL with a web shop, Redis, sshd, Ceph's S3, keys; workers are started at will. */
export interface TestSite extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly queues: Queues;
  readonly redis: Redis;
  readonly postgres: PostgresServer;
  readonly remote: Sshd;
  /** Copies that `inspectTiers` has read whole, so that it need not again. */
  readonly verified: Set<string>;
  startWorker(): Promise<TestWorker>;
  request(): Promise<string>;
  status(runId: string): Promise<RunStatus>;
  /** Waits until nothing of the run changes by itself any more. */
  settled(runId: string, withinMs: number): Promise<RunStatus>;
}

export interface TestWorker {
  log(): string;
  /** Resolves, with how it ended, when it has. */
  kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface SiteOptions {
  /** Makes the database's content, given its URL. */
  readonly fill: (url: string) => Promise<unknown>;
  /** Knows the servers of the site. */
  readonly env?: Readonly<Record<string, string>> | ((servers: Servers) => Promise<Record<string, string>>);
}

export interface Servers {
  readonly remote: Sshd;
  readonly s3: Ceph;
}

export function webShop(megabytes: number): SiteOptions["fill"] {
  return (url) => createSampleDatabase(url, { megabytes });
}

export async function startSite(options: SiteOptions): Promise<TestSite> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await makeTempDir("tv-site"));
    const [postgres, redisServer, remote, s3] = await Promise.all([
      startPostgres(),
      startRedis(),
      startSshd(),
      sharedCeph(),
    ]);
    for (const part of [postgres, redisServer, remote, s3]) stack.use(part);
    const url = await postgres.createDatabase(DATABASE);
    await options.fill(url);
    const bucket = `site-${Date.now()}-${process.pid}`;
    await s3.createBucket(bucket);
    const env = {
      ...(await siteKeys(folder.path)),
      ...settings(folder.path, url, redisServer, remote),
      BACKUP_S3_BUCKET: bucket,
      BACKUP_S3_ENDPOINT: s3.endpoint,
      AWS_ACCESS_KEY_ID: s3.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.secretKey,
      ...(typeof options.env === "function" ? await options.env({ remote, s3 }) : options.env),
    };
    // The SDK's own credential chain reads the environment of this process, too.
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey });
    const config = resolveConfig(env, "backup");
    const tiers = openTiers(config.tiers);
    for (const tier of tiers) stack.defer(() => tier.store.close());
    const redis = connectRedis(redisServer.url, "fail-fast");
    stack.defer(() => redis.disconnect());
    const queues = openQueues(redis, siteJobKey(config.backupDir));
    stack.defer(() => closeQueues(queues));
    const workers: TestWorker[] = [];
    stack.defer(async () => {
      for (const worker of workers) await worker.kill("SIGKILL");
    });
    const status = async (runId: string) => {
      const found = await runStatus(queues, config, runId);
      if (!found) throw new Error(`the queue does not know ${runId}`);
      return found;
    };
    return {
      env,
      config,
      tiers,
      queues,
      redis,
      postgres,
      remote,
      verified: new Set(),
      status,
      async startWorker() {
        const worker = await startWorker(env);
        workers.push(worker);
        return worker;
      },
      async request() {
        return (await requestBackup(queues, redis, { database: DATABASE, actor: "user:test@localhost" })).runId;
      },
      async settled(runId, withinMs) {
        let now: RunStatus | null = null;
        await until(async () => !isMoving(stateOfJobs((now = await status(runId)))), {
          seconds: withinMs / 1000,
          describe: () => `${runId} is settled: ${JSON.stringify(now)}`,
        });
        return status(runId);
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/**
 * What must hold after anything: whatever has a manifest on a tier is whole, byte by byte. Returns the complete copies and
 * the remains by tier.
 */
export async function inspectTiers(site: TestSite): Promise<Record<string, { complete: string[]; partial: string[] }>> {
  const trust = await loadTrust(site.config);
  const found: Record<string, { complete: string[]; partial: string[] }> = {};
  for (const tier of site.tiers) {
    const copies = await listCopies(tier);
    for (const copy of copies.filter(({ complete }) => complete)) {
      const name = `${tier.name}/${copy.backupId}`;
      if (!site.verified.has(name)) await expectWhole(tier, copy, trust);
      site.verified.add(name);
    }
    const ids = (complete: boolean) =>
      copies.filter((copy) => copy.complete === complete).map(({ backupId }) => backupId);
    found[tier.name] = { complete: ids(true), partial: ids(false) };
  }
  return found;
}

/** Has every tier looked after, again and again, until it is so. */
export async function maintainUntil(
  { queues, tiers }: Pick<TestSite, "queues" | "tiers">,
  isSo: () => Promise<boolean>,
  { seconds = 200, describe }: { readonly seconds?: number; readonly describe?: () => string } = {},
): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; ;) {
    for (const { name } of tiers) await queues.maintenance.add("maintenance", { tier: name });
    const left = (deadline - performance.now()) / 1000;
    if (left <= ROUND_SECONDS) return void (await until(isSo, { seconds: left, ...(describe && { describe }) }));
    if (await until(isSo, { seconds: ROUND_SECONDS }).catch(() => false)) return;
  }
}

async function expectWhole(tier: Tier, ref: BackupRef, trust: Awaited<ReturnType<typeof loadTrust>>): Promise<void> {
  const verdict = await verifyCopy(tier, ref, trust, { signal: AbortSignal.timeout(60_000), allowUnsigned: false });
  if (!verdict.good)
    throw new Error(`${tier.name} shows ${ref.backupId} as complete, and it is not: ${JSON.stringify(verdict.damage)}`);
}

/** Keys of a new site in a folder, and the settings that name them. */
export async function siteKeys(folder: string): Promise<Record<string, string>> {
  const operations = await generateKeys();
  const escrow = await generateKeys();
  const signing = await loadOrCreateSigningKey(path.join(folder, "signing.key"));
  await writeIdentityFile(path.join(folder, "identity.txt"), operations, signing.publicKey);
  await writeIdentityFile(path.join(folder, "escrow.txt"), escrow, signing.publicKey);
  return {
    BACKUP_ENCRYPTION_RECIPIENTS: `${operations.recipient},${escrow.recipient}`,
    BACKUP_IDENTITY_FILE: path.join(folder, "identity.txt"),
    BACKUP_SIGNING_KEY_FILE: path.join(folder, "signing.key"),
  };
}

function settings(folder: string, url: string, redis: RedisServer, remote: Sshd): Record<string, string> {
  return {
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    BACKUP_DIR: path.join(folder, "backups"),
    BACKUP_SCHEDULE: "off",
    BACKUP_SEGMENT_SIZE: "1MiB",
    BACKUP_REMOTE_SERVER: `${remote.host}:${remote.port}`,
    BACKUP_SSH_USER: remote.user,
    BACKUP_SSH_KEY: remote.keyFile,
    BACKUP_SSH_KNOWN_HOSTS: remote.knownHostsFile,
    BACKUP_REMOTE_DIR: remote.directory,
    BACKUP_CLOUD_PROVIDER: "aws",
    BACKUP_CLOUD_REGION: "us-east-1",
    WORKER_TAKEOVER_SECONDS: "5",
  };
}

async function startWorker(env: Readonly<Record<string, string>>): Promise<TestWorker> {
  const worker = startProgram("worker", { env });
  await worker.said(/worker ready/);
  return {
    log: () => worker.log(),
    async kill(signal) {
      worker.signal(signal);
      return worker.exited;
    },
  };
}
