import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { TrivaultError } from "../errors.ts";
import { FIELDS, type Values, type Variable } from "./fields.ts";
import type { Config, DatabaseConfig, RetentionPolicy, S3TierConfig, SftpTierConfig, TierConfig } from "./types.ts";
import { QUEUES } from "./types.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * `backup` is for whatever makes backups: it needs a database and recipients. `read` is for restore, list and verify,
 * which must work on a bare machine that has neither.
 */
export type Purpose = "backup" | "read";

export interface Problem {
  readonly variable: string;
  readonly message: string;
}

/** All that is wrong with the environment, at once. */
export class ConfigError extends TrivaultError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map((problem) => `  ${problem.variable} ${problem.message}`);
    super("CONFIG_INVALID", `The configuration cannot be used:\n${lines.join("\n")}`, { permanent: true });
    this.problems = problems;
  }
}

interface Surroundings {
  readonly cwd: string;
  readonly home: string;
  /** A folder in memory, or null. */
  readonly memoryDir: string | null;
}

const surroundings = (): Surroundings => ({
  cwd: process.cwd(),
  home: homedir(),
  memoryDir: process.platform === "linux" && existsSync("/dev/shm") ? "/dev/shm" : null,
});

/** Environment variables → Config. Pure, given its surroundings. Throws ConfigError with every problem found. */
export function resolveConfig(env: Env, purpose: Purpose, around: Surroundings = surroundings()): Config {
  const { values, problems } = readFields(env);
  const given = (variable: Variable) => (env[variable] ?? "") !== "";
  const need = (variable: Variable, why: string) => {
    if (!given(variable))
      problems.push({ variable, message: `is not set: ${why}; it takes ${FIELDS[variable].right}.` });
  };
  const absolute = (file: string) => path.resolve(around.cwd, file.replace(/^~(?=\/|$)/, around.home));

  const backupDir = absolute(values.BACKUP_DIR ?? "./backups");
  if (purpose === "backup") {
    need("DATABASE_URL", "it names the database to back up");
    if (values.BACKUP_ENCRYPTION === "none" && given("BACKUP_ENCRYPTION_RECIPIENTS")) {
      problems.push({
        variable: "BACKUP_ENCRYPTION",
        message: "is none, but BACKUP_ENCRYPTION_RECIPIENTS is set: unset one of them.",
      });
    } else if (values.BACKUP_ENCRYPTION !== "none") {
      need("BACKUP_ENCRYPTION_RECIPIENTS", "backups are encrypted unless BACKUP_ENCRYPTION=none says otherwise");
    }
  }
  checkRemote(given, need, problems);
  if (!given("BACKUP_S3_BUCKET") && (given("BACKUP_CLOUD_PROVIDER") || given("BACKUP_S3_ENDPOINT"))) {
    need("BACKUP_S3_BUCKET", "a cloud tier needs a bucket");
  }
  const database = values.DATABASE_URL === undefined ? null : databaseConfig(values.DATABASE_URL, values, problems);

  if (problems.length > 0) throw new ConfigError(problems);
  return {
    databases: database ? [database] : [],
    servers: [],
    tiers: tiers(values, backupDir, absolute),
    limits: { dumpsPerServer: 1, dumpsPerSite: 4, spreadSeconds: 300, maintenanceMinutes: 15 },
    configFile: null,
    encryption:
      values.BACKUP_ENCRYPTION === "none"
        ? { mode: "none" }
        : { mode: "age", recipients: [...new Set(values.BACKUP_ENCRYPTION_RECIPIENTS)] },
    identityFile: values.BACKUP_IDENTITY_FILE === undefined ? null : absolute(values.BACKUP_IDENTITY_FILE),
    signingKeyFile: absolute(values.BACKUP_SIGNING_KEY_FILE ?? path.join(backupDir, ".trivault/signing.key")),
    trustedKeys: values.BACKUP_TRUSTED_KEYS ?? [],
    backupDir,
    spoolDir: absolute(values.BACKUP_SPOOL_DIR ?? defaultSpool(backupDir, around.memoryDir)),
    segmentSize: values.BACKUP_SEGMENT_SIZE ?? 16 * 1024 * 1024,
    rowCounts: values.BACKUP_ROW_COUNTS ?? true,
    pgBinDir: values.BACKUP_PG_BIN_DIR === undefined ? null : absolute(values.BACKUP_PG_BIN_DIR),
    redisUrl: values.REDIS_URL ?? null,
    worker: {
      queues: values.WORKER_QUEUES ?? QUEUES,
      concurrency: {
        dump: values.WORKER_DUMP_CONCURRENCY ?? 1,
        encrypt: values.WORKER_ENCRYPT_CONCURRENCY ?? 2,
        "remote-sync": values.WORKER_REMOTE_SYNC_CONCURRENCY ?? 2,
        "cloud-upload": values.WORKER_CLOUD_UPLOAD_CONCURRENCY ?? 2,
        maintenance: 1,
      },
      takeoverSeconds: values.WORKER_TAKEOVER_SECONDS ?? 30,
      graceSeconds: values.WORKER_GRACE_SECONDS ?? 25,
    },
    api: {
      host: values.BACKUP_API_HOST ?? "127.0.0.1",
      port: values.BACKUP_API_PORT ?? 3000,
      token: values.BACKUP_API_TOKEN ?? null,
    },
    logLevel: values.LOG_LEVEL ?? "info",
    warnings: unknownVariables(env),
  };
}

function readFields(env: Env): { values: Values; problems: Problem[] } {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [variable, { schema, right, secret }] of Object.entries(FIELDS)) {
    const raw = env[variable];
    if (raw === undefined || raw === "") continue;
    const parsed = schema.safeParse(raw);
    if (parsed.success) values[variable] = parsed.data;
    else {
      // A secret key pasted where its public key belongs is still a secret.
      const hidden = secret || /AGE-SECRET-KEY-/i.test(raw);
      const shown = hidden ? "(its value is hidden)" : JSON.stringify(raw.length > 120 ? `${raw.slice(0, 120)}…` : raw);
      problems.push({ variable, message: `is ${shown}: expected ${right}.` });
    }
  }
  return { values, problems };
}

function checkRemote(
  given: (variable: Variable) => boolean,
  need: (variable: Variable, why: string) => void,
  problems: Problem[],
): void {
  if (!given("BACKUP_REMOTE_SERVER")) {
    if (given("BACKUP_REMOTE_DIR")) need("BACKUP_REMOTE_SERVER", "BACKUP_REMOTE_DIR is set");
    return;
  }
  need("BACKUP_SSH_USER", "the remote tier needs a login");
  need("BACKUP_SSH_KEY", "the remote tier logs in by key");
  need("BACKUP_REMOTE_DIR", "the remote tier needs a folder");
  if (!given("BACKUP_SSH_HOST_KEY") && !given("BACKUP_SSH_KNOWN_HOSTS")) {
    const message = `or BACKUP_SSH_KNOWN_HOSTS must be set: without it any server could pose as yours; it takes ${FIELDS.BACKUP_SSH_HOST_KEY.right}.`;
    problems.push({ variable: "BACKUP_SSH_HOST_KEY", message });
  }
}

function databaseConfig(url: string, values: Values, problems: Problem[]): DatabaseConfig | null {
  const name = databaseNameOf(url);
  if (name === null) {
    problems.push({ variable: "DATABASE_URL", message: `names no database: expected ${FIELDS.DATABASE_URL.right}.` });
    return null;
  }
  const cron = values.BACKUP_SCHEDULE ?? "0 * * * *";
  const timeZone = values.BACKUP_TIME_ZONE ?? "UTC";
  const names = tiers(values, "", (file) => file).map((tier) => tier.name);
  return {
    name,
    url,
    schedule: cron === "off" ? null : { cron, timeZone },
    timeZone,
    tiers: names,
    retention: Object.fromEntries(names.map((tier) => [tier, DEFAULT_RETENTION])),
    selection: { schemas: [], tables: [], excludeSchemas: [], excludeTables: [] },
    priority: 5,
    objectiveSeconds: null,
  };
}

const NO_OPTIONS = { budget: null, prices: {} } as const;

/** Two days hour by hour, two weeks day by day, two months week by week, a year month by month, and three years. */
export const DEFAULT_RETENTION: RetentionPolicy = {
  last: 0,
  hourly: 48,
  daily: 14,
  weekly: 8,
  monthly: 12,
  yearly: 3,
  withinSeconds: null,
  atLeast: 2,
};

/** The database in a PostgreSQL URL, or null. */
export function databaseNameOf(url: string): string | null {
  try {
    const parsed = new URL(url);
    const name = decodeURIComponent(parsed.pathname.replace(/^\//, "")) || parsed.searchParams.get("dbname");
    return name === null || name === "" || /[\0/]/.test(name) ? null : name;
  } catch {
    return null;
  }
}

function tiers(values: Values, backupDir: string, absolute: (file: string) => string): TierConfig[] {
  const all: TierConfig[] = [{ ...NO_OPTIONS, name: "local", kind: "local", directory: backupDir }];
  if (values.BACKUP_REMOTE_SERVER !== undefined) all.push(remoteTier(values, values.BACKUP_REMOTE_SERVER, absolute));
  if (values.BACKUP_S3_BUCKET !== undefined) all.push(cloudTier(values, values.BACKUP_S3_BUCKET));
  return all;
}

function remoteTier(values: Values, server: string, absolute: (file: string) => string): SftpTierConfig {
  const [, host = "", port = "22"] = /^(.*?)(?::(\d+))?$/.exec(server) ?? [];
  const fingerprint = values.BACKUP_SSH_HOST_KEY?.replace(/=$/, "");
  return {
    ...NO_OPTIONS,
    name: "remote",
    kind: "sftp",
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port),
    user: values.BACKUP_SSH_USER ?? "",
    keyFile: absolute(values.BACKUP_SSH_KEY ?? ""),
    directory: (values.BACKUP_REMOTE_DIR ?? "").replace(/(.)\/+$/, "$1"),
    hostKey:
      fingerprint === undefined ? { knownHostsFile: absolute(values.BACKUP_SSH_KNOWN_HOSTS ?? "") } : { fingerprint },
  };
}

function cloudTier(values: Values, bucket: string): S3TierConfig {
  return {
    ...NO_OPTIONS,
    name: "cloud",
    kind: "s3",
    bucket,
    prefix: values.BACKUP_S3_PREFIX ?? "",
    region: values.BACKUP_CLOUD_REGION ?? "us-east-1",
    endpoint: values.BACKUP_S3_ENDPOINT ?? null,
    pathStyle: values.BACKUP_S3_PATH_STYLE ?? values.BACKUP_S3_ENDPOINT !== undefined,
    verify: values.BACKUP_S3_VERIFY ?? "server",
    conditionalPut: values.BACKUP_S3_CONDITIONAL_PUT ?? true,
    credentials: null,
    storageClass: null,
    lifecycle: [],
  };
}

/** In memory where the system has such a folder; else under the backup folder (the worker warns that it is a disk). */
function defaultSpool(backupDir: string, memoryDir: string | null): string {
  if (memoryDir === null) return path.join(backupDir, ".trivault/spool");
  return path.join(memoryDir, `trivault-${createHash("sha256").update(backupDir).digest("hex").slice(0, 12)}`);
}

function unknownVariables(env: Env): string[] {
  return Object.keys(env)
    .filter((name) => /^(?:BACKUP|WORKER)_/.test(name) && !(name in FIELDS))
    .map((name) => `${name} is not a setting of this version and is ignored.`);
}
