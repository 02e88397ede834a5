import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Config, resolveConfig } from "@trivault/core";
import { generateKeys, loadOrCreateSigningKey, writeIdentityFile } from "@trivault/crypto";
import { openTiers, type Tier } from "@trivault/storage";
import { makeTempDir, sharedCeph, startPostgres, startSshd } from "@trivault/testkit";
import { type RestartableRedis, startRestartableRedis } from "../support/restartable-redis.ts";

/** When backups are made, and which of them stay. */
export interface Rules {
  readonly timeZone: string;
  /** From midnight. */
  readonly everyHours: number;
  readonly maintenanceEvery: string;
  readonly hourly: number;
  readonly daily: number;
}

/** A site with many small databases on one server, found by discovery, and everything else real. */
export interface World extends AsyncDisposable {
  readonly config: Config;
  readonly rules: Rules;
  readonly tiers: readonly Tier[];
  readonly redis: RestartableRedis;
  readonly clockFile: string;
  /** Names of the databases, as they are backed up. */
  readonly databases: readonly string[];
  startWorker(): SimulatedWorker;
}

export interface SimulatedWorker {
  log(): string;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export async function createWorld(databaseCount: number, rules: Rules): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await makeTempDir("tv-simulation"));
    const [postgres, remote, s3] = await Promise.all([startPostgres(), startSshd(), sharedCeph()]);
    for (const part of [postgres, remote, s3]) stack.use(part);
    await mkdir(path.join(folder.path, "redis"));
    const redis = await startRestartableRedis(path.join(folder.path, "redis"));
    stack.defer(() => redis.stop());
    const bucket = `simulation-${Date.now()}-${process.pid}`;
    await s3.createBucket(bucket);

    const names = Array.from({ length: databaseCount }, (_, index) => `app_${String(index + 1).padStart(3, "0")}`);
    await postgres.query("create database app_template");
    await postgres.query(
      "create table customers (id int primary key, name text); insert into customers select i, 'customer ' || i from generate_series(1, 500) i",
      "app_template",
    );
    for (const name of names) await postgres.query(`create database ${name} template app_template`);

    const keys = await generateKeys();
    const signing = await loadOrCreateSigningKey(path.join(folder.path, "signing.key"));
    await writeIdentityFile(path.join(folder.path, "identity.txt"), keys, signing.publicKey);
    const configFile = path.join(folder.path, "trivault.config.yaml");
    await writeFile(configFile, configText(rules), { mode: 0o600 });
    const clockFile = path.join(folder.path, "clock.json");
    const env: Record<string, string> = {
      PATH: process.env["PATH"] ?? "",
      BACKUP_CONFIG: configFile,
      SIMULATED_SERVER_URL: postgres.url,
      SIMULATION_CLOCK: clockFile,
      REDIS_URL: redis.url,
      BACKUP_DIR: path.join(folder.path, "backups"),
      BACKUP_ENCRYPTION_RECIPIENTS: keys.recipient,
      BACKUP_SIGNING_KEY_FILE: path.join(folder.path, "signing.key"),
      BACKUP_REMOTE_SERVER: `${remote.host}:${remote.port}`,
      BACKUP_SSH_USER: remote.user,
      BACKUP_SSH_KEY: remote.keyFile,
      BACKUP_SSH_KNOWN_HOSTS: remote.knownHostsFile,
      BACKUP_REMOTE_DIR: remote.directory,
      BACKUP_CLOUD_PROVIDER: "aws",
      BACKUP_CLOUD_REGION: "us-east-1",
      BACKUP_S3_BUCKET: bucket,
      BACKUP_S3_ENDPOINT: s3.endpoint,
      AWS_ACCESS_KEY_ID: s3.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.secretKey,
      WORKER_TAKEOVER_SECONDS: "5",
      WORKER_DUMP_CONCURRENCY: "2",
      LOG_LEVEL: "warn",
    };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey });
    Object.assign(process.env, { SIMULATED_SERVER_URL: postgres.url });
    const config = resolveConfig(env, "backup");
    const tiers = openTiers(config.tiers);
    for (const tier of tiers) stack.defer(() => tier.store.close());
    const workers: SimulatedWorker[] = [];
    stack.defer(async () => {
      for (const worker of workers) await worker.end("SIGKILL");
    });
    return {
      config,
      rules,
      tiers,
      redis,
      clockFile,
      databases: names.map((name) => `main.${name}`),
      startWorker() {
        const worker = startWorker(env);
        workers.push(worker);
        return worker;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function configText({ timeZone, everyHours, maintenanceEvery, hourly, daily }: Rules): string {
  return `timeZone: ${timeZone}
schedule: "0 */${everyHours} * * *"
retention: { hourly: ${hourly}, daily: ${daily}, atLeast: 2 }
workers: { dumpsPerServer: 4, dumpsPerSite: 4, maintenanceEvery: ${maintenanceEvery} }
servers:
  main:
    urlEnv: SIMULATED_SERVER_URL
    include: ["app_*"]
    exclude: ["app_template"]
`;
}

function startWorker(env: Record<string, string>): SimulatedWorker {
  const child: ChildProcess = spawn(process.execPath, [path.join(import.meta.dirname, "worker.js")], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000);
  });
  return {
    log: () => said,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}
