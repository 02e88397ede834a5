import { execFile } from "node:child_process";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type Config, resolveConfig, shellWord } from "@trivault/core";
import { openTiers, type Tier } from "@trivault/storage";
import {
  type HttpProxy,
  makeTempDir,
  type PostgresServer,
  sharedCeph,
  startHttpProxy,
  startPostgres,
  startSshd,
  startTcpProxy,
  type TcpProxy,
  whenGone,
} from "@trivault/testkit";
import { type RestartableRedis, startRestartableRedis } from "../support/restartable-redis.ts";
import { siteKeys } from "../support/site.ts";
import { createContent } from "./content.ts";

export const DATABASES = ["alpha", "beta", "gamma"] as const;
export const API_TOKEN = "a-token-of-the-driver-0123456789";
const SHIFTED_CLOCK = path.resolve(import.meta.dirname, "../support/shifted-clock.js");
/** Small, so that a backup has several. */
const SEGMENT_SIZE = "256KiB";
const DISK_MB = 96;
const SPOOL_MB = 32;

/** A site on real servers, each behind something that can fail; its disks are small ones of their own where one may mount. */
export interface World extends AsyncDisposable {
  /** The environment of every program of the site. */
  readonly env: Readonly<Record<string, string>>;
  /** The site as the driver looks at it: the same tiers, by ways that do not fail. */
  readonly config: Config;
  readonly tiers: readonly Tier[];
  /** As its programs see it. */
  readonly siteConfig: Config;
  readonly postgres: PostgresServer;
  readonly redis: RestartableRedis;
  readonly sftp: TcpProxy;
  readonly s3: HttpProxy;
  readonly folder: string;
  readonly backupDir: string;
  readonly spoolDir: string;
  /** Whether the two are file systems of their own, and can be filled. */
  readonly canFill: boolean;
  /** Sets the clock of all programs, so many milliseconds ahead of the real one. */
  shiftClock(ms: number): Promise<void>;
  /** Writes the rule of retention into the configuration file. */
  keepLast(count: number): Promise<void>;
}

export async function createWorld(last: number): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const { path: folder } = stack.use(await makeTempDir("tv-robust"));
    const at = (name: string) => path.join(folder, name);
    const [postgres, remote, ceph] = await Promise.all([startPostgres(), startSshd(), sharedCeph()]);
    for (const part of [postgres, remote, ceph]) stack.use(part);
    for (const name of ["redis", "backups", "spool"]) await mkdir(at(name), { mode: 0o700 });
    const redis = await startRestartableRedis(at("redis"));
    stack.defer(() => redis.stop());
    const canFill = (await mount(stack, at("backups"), DISK_MB)) && (await mount(stack, at("spool"), SPOOL_MB));
    const bucket = `robustness-${Date.now()}-${process.pid}`;
    await ceph.createBucket(bucket);
    const sftp = await startTcpProxy(remote);
    stack.defer(() => sftp.stop());
    const s3 = stack.use(await startHttpProxy(ceph.endpoint));
    for (const name of DATABASES) await createContent(postgres, name);

    const shiftClock = (ms: number) => replaceFile(at("clock"), String(ms));
    const keepLast = (count: number) => replaceFile(at("trivault.config.yaml"), configText(count));
    await shiftClock(0);
    await keepLast(last);
    const knownHosts = await readFile(remote.knownHostsFile, "utf8");
    await writeFile(at("known_hosts"), knownHosts.replaceAll(`:${remote.port} `, `:${sftp.port} `));
    const direct = {
      ...(await siteKeys(folder)),
      BACKUP_CONFIG: at("trivault.config.yaml"),
      BACKUP_DIR: at("backups"),
      BACKUP_SPOOL_DIR: at("spool"),
      BACKUP_SEGMENT_SIZE: SEGMENT_SIZE,
      ...Object.fromEntries(DATABASES.map((name) => [`URL_${name.toUpperCase()}`, postgres.urlOf(name)])),
      REDIS_URL: redis.url,
      BACKUP_REMOTE_SERVER: `${remote.host}:${remote.port}`,
      BACKUP_SSH_USER: remote.user,
      BACKUP_SSH_KEY: remote.keyFile,
      BACKUP_SSH_KNOWN_HOSTS: remote.knownHostsFile,
      BACKUP_REMOTE_DIR: remote.directory,
      BACKUP_CLOUD_PROVIDER: "aws",
      BACKUP_CLOUD_REGION: "us-east-1",
      BACKUP_S3_BUCKET: bucket,
      BACKUP_S3_ENDPOINT: ceph.endpoint,
      AWS_ACCESS_KEY_ID: ceph.accessKey,
      AWS_SECRET_ACCESS_KEY: ceph.secretKey,
      WORKER_TAKEOVER_SECONDS: "5",
      WORKER_GRACE_SECONDS: "5",
    };
    // The SDK's own credential chain reads the environment of this process, too.
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: ceph.accessKey, AWS_SECRET_ACCESS_KEY: ceph.secretKey });
    const config = resolveConfig(direct, "backup");
    const tiers = openTiers(config.tiers);
    for (const tier of tiers) stack.defer(() => tier.store.close());
    const env = {
      ...direct,
      NODE_OPTIONS: `--import=${pathToFileURL(SHIFTED_CLOCK).href}`,
      SHIFTED_CLOCK: at("clock"),
      BACKUP_REMOTE_SERVER: `${remote.host}:${sftp.port}`,
      BACKUP_SSH_KNOWN_HOSTS: at("known_hosts"),
      BACKUP_S3_ENDPOINT: s3.url,
      BACKUP_API_PORT: "0",
      BACKUP_API_TOKEN: API_TOKEN,
    };
    return {
      env,
      siteConfig: resolveConfig(env, "backup"),
      config,
      tiers,
      postgres,
      redis,
      sftp,
      s3,
      folder,
      backupDir: at("backups"),
      spoolDir: at("spool"),
      canFill,
      shiftClock,
      keepLast,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function configText(last: number): string {
  const databases = DATABASES.map((name) => `  ${name}: { urlEnv: URL_${name.toUpperCase()} }\n`);
  return `schedule: "off"
retention: { last: ${last}, atLeast: 1 }
workers: { dumpsPerServer: 2, dumpsPerSite: 3, maintenanceEvery: 1m }
databases:
${databases.join("")}`;
}

/** A file system in memory that can be filled; needs root, and false where that is not allowed. */
async function mount(stack: AsyncDisposableStack, folder: string, megabytes: number): Promise<boolean> {
  const run = promisify(execFile);
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "tmpfs", folder]);
  } catch {
    return false;
  }
  const isGone = whenGone(`umount -l ${shellWord(folder)}`);
  stack.defer(async () => {
    await run("umount", ["-l", folder]);
    isGone();
  });
  return true;
}

/** Never half written: programs read it at any time. */
async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
