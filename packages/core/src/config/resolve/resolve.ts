import { DAY_SECONDS } from "../../time.ts";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { readDatabases } from "./databases.ts";
import { checkTiersOfEnvironment, OF_ENVIRONMENT, tiersOfEnvironment } from "../environment/tiers.ts";
import { FIELDS, type Values, type Variable } from "../environment/fields.ts";
import { readMonitoring } from "../file/monitoring.ts";
import { type Env, optionsOf, placesTakenTwice, tiersOfFile } from "../file/tiers.ts";
import { isReference, looksSecret } from "../text/key-text.ts";
import { ConfigError, nearest, type Problem } from "../model/problems.ts";
import { type ConfigFile, readConfigFile } from "../file/read-file.ts";
import { isLoopback } from "../../loopback.ts";
import { redisUrlOf } from "../environment/redis-url.ts";
import type { Config, LimitsConfig, LocalTierConfig, TierConfig } from "../model/types.ts";
import { QUEUES } from "../model/types.ts";
import { withoutTrailing } from "../../without-trailing.ts";

/**
 * `backup` is for whatever makes backups: it needs a database and recipients. `read` is for restore, list and verify,
 * which must work on a bare machine that has neither.
 */
export type Purpose = "backup" | "read";

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

/** Where the configuration file lies unless BACKUP_CONFIG says otherwise; it need not be there. */
export const DEFAULT_CONFIG_FILE = "trivault.config.yaml";

/**
 * Environment variables and the configuration file → Config. Throws ConfigError with every problem found. The environment
 * wins over the file's general settings, and over a tier or database of the same name; what the file says of one database
 * wins over what the environment says of all.
 */
export function resolveConfig(env: Env, purpose: Purpose, around: Surroundings = surroundings()): Config {
  const { values, problems } = readFields(env);
  const given = (variable: Variable) => (env[variable] ?? "") !== "";
  const need = (variable: Variable, why: string) => {
    if (!given(variable))
      problems.push({ variable, message: `is not set: ${why}; it takes ${FIELDS[variable].right}.` });
  };
  const absolute = pathsFrom(around.cwd, around.home);
  const file = openFile(values, absolute);
  problems.push(...(file?.problems ?? []));

  const backupDir = absolute(values.BACKUP_DIR ?? "./backups");
  if (purpose === "backup") checkForBackup(values, file, given, need, problems);
  checkTiersOfEnvironment(given, need, problems);

  const besideFile = pathsFrom(path.dirname(file?.path ?? around.cwd), around.home);
  const ofFile = file ? tiersOfFile(file, env, besideFile) : { tiers: [], problems: [] };
  problems.push(...ofFile.problems);
  const ofEnvironment = tiersOfEnvironment(values, absolute);
  const isOfEnvironment = ({ name }: TierConfig) => ofEnvironment.some((tier) => tier.name === name);
  const ownOfFile = ofFile.tiers.filter((tier) => !isOfEnvironment(tier));
  const tiers = [localTier(backupDir, file), ...ofEnvironment, ...ownOfFile];
  for (const [name, other] of placesTakenTwice(tiers)) problems.push(placeTakenTwice(file, name, other));
  const tierNames = tiers.map(({ name }) => name);
  const databases = readDatabases({ env, values, file, tierNames, mayLackUrls: purpose === "read" });
  problems.push(...databases.problems);
  const timeZone = values.BACKUP_TIME_ZONE ?? file?.content.timeZone ?? "UTC";
  const monitoring = readMonitoring({ env, file, timeZone, mayLackSecrets: purpose === "read" });
  problems.push(...monitoring.problems);

  const passwordFile = values.REDIS_PASSWORD_FILE === undefined ? undefined : absolute(values.REDIS_PASSWORD_FILE);
  const redisUrl = redisUrlOf(values.REDIS_URL, passwordFile, problems, purpose === "read");

  if (values.BACKUP_API_OPEN === true) problems.push(...whyNotOpen(values));

  if (problems.length > 0) throw new ConfigError(problems, file?.path);
  return {
    databases: databases.databases,
    servers: databases.servers,
    tiers,
    limits: limits(values, file),
    configFile: file?.path ?? null,
    encryption:
      values.BACKUP_ENCRYPTION === "none"
        ? { mode: "none" }
        : { mode: "age", recipients: [...new Set(values.BACKUP_ENCRYPTION_RECIPIENTS)] },
    identityFile: values.BACKUP_IDENTITY_FILE === undefined ? null : absolute(values.BACKUP_IDENTITY_FILE),
    restoreTargets: values.BACKUP_RESTORE_TARGETS ?? file?.content.restore?.targets ?? ["restore-server"],
    restoreTarget: values.BACKUP_RESTORE_TARGET ?? null,
    signingKeyFile: signingKeyFileOf(values, absolute),
    trustedKeys: values.BACKUP_TRUSTED_KEYS ?? [],
    backupDir,
    spoolDir: absolute(values.BACKUP_SPOOL_DIR ?? path.join(backupDir, ".trivault/spool")),
    spoolMemory: values.BACKUP_SPOOL_DIR === undefined ? around.memoryDir : null,
    segmentSize: values.BACKUP_SEGMENT_SIZE ?? 16 * 1024 * 1024,
    rowCounts: values.BACKUP_ROW_COUNTS ?? true,
    pgBinDir: values.BACKUP_PG_BIN_DIR === undefined ? null : absolute(values.BACKUP_PG_BIN_DIR),
    redisUrl,
    worker: {
      queues: values.WORKER_QUEUES ?? QUEUES,
      concurrency: {
        dump: values.WORKER_DUMP_CONCURRENCY ?? 1,
        encrypt: values.WORKER_ENCRYPT_CONCURRENCY ?? 2,
        "remote-sync": values.WORKER_REMOTE_SYNC_CONCURRENCY ?? 2,
        "cloud-upload": values.WORKER_CLOUD_UPLOAD_CONCURRENCY ?? 2,
        restore: 1,
        verify: 1,
        maintenance: 1,
      },
      takeoverSeconds: values.WORKER_TAKEOVER_SECONDS ?? 30,
      graceSeconds: values.WORKER_GRACE_SECONDS ?? 25,
      metrics:
        values.WORKER_METRICS_PORT === undefined
          ? null
          : { host: values.WORKER_METRICS_HOST ?? "127.0.0.1", port: values.WORKER_METRICS_PORT },
    },
    api: {
      host: values.BACKUP_API_HOST ?? "127.0.0.1",
      port: values.BACKUP_API_PORT ?? 3000,
      token: values.BACKUP_API_TOKEN ?? null,
      open: values.BACKUP_API_OPEN ?? false,
      accessFile: absolute(values.BACKUP_ACCESS_FILE ?? path.join(backupDir, ".trivault/access.json")),
      publicUrl: values.BACKUP_PUBLIC_URL === undefined ? null : withoutTrailing(values.BACKUP_PUBLIC_URL, "/"),
      trustedProxies: values.BACKUP_TRUSTED_PROXIES ?? [],
    },
    monitoring: monitoring.monitoring,
    logLevel: values.LOG_LEVEL ?? "info",
    warnings: [
      ...unknownVariables(env),
      ...(file?.warnings ?? []),
      ...ofFile.tiers
        .filter(isOfEnvironment)
        .map(({ name }) => `The environment wins over tiers.${name} of ${file?.path}.`),
      ...databases.warnings,
      ...monitoring.warnings,
    ],
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
      const hidden = secret || looksSecret(raw);
      const shown = hidden ? "(its value is hidden)" : JSON.stringify(raw.length > 120 ? `${raw.slice(0, 120)}…` : raw);
      problems.push({ variable, message: `is ${shown}: expected ${right}.` });
    }
  }
  return { values, problems };
}

function pathsFrom(folder: string, home: string): (file: string) => string {
  return (file) => (isReference(file) ? file : path.resolve(folder, file.replace(/^~(?=\/|$)/, home)));
}

function openFile(values: Values, absolute: (file: string) => string): ConfigFile | null {
  const named = values.BACKUP_CONFIG;
  const file = absolute(named ?? DEFAULT_CONFIG_FILE);
  return named === undefined && !existsSync(file) ? null : readConfigFile(file);
}

function checkForBackup(
  values: Values,
  file: ConfigFile | null,
  given: (variable: Variable) => boolean,
  need: (variable: Variable, why: string) => void,
  problems: Problem[],
): void {
  // What a file names that could not be read is not known.
  const named = file ? [...file.keysOf("databases"), ...file.keysOf("servers"), ...file.problems] : [];
  if (named.length === 0) {
    need("DATABASE_URL", `it names the database to back up (several are named in ${DEFAULT_CONFIG_FILE})`);
  }
  if (values.BACKUP_ENCRYPTION === "none" && given("BACKUP_ENCRYPTION_RECIPIENTS")) {
    problems.push({
      variable: "BACKUP_ENCRYPTION",
      message: "is none, but BACKUP_ENCRYPTION_RECIPIENTS is set: unset one of them.",
    });
  } else if (values.BACKUP_ENCRYPTION !== "none") {
    need("BACKUP_ENCRYPTION_RECIPIENTS", "backups are encrypted unless BACKUP_ENCRYPTION=none says otherwise");
  }
}

/** Open is for a demo, which nobody but this machine reaches. */
function whyNotOpen(values: Values): Problem[] {
  const { BACKUP_API_HOST: host = "127.0.0.1", BACKUP_API_TOKEN: token, BACKUP_TRUSTED_PROXIES: proxies = [] } = values;
  const problem = (why: string) => ({ variable: "BACKUP_API_OPEN", message: `is true, but ${why}.` });
  return [
    ...(isLoopback(host) ? [] : [problem(`BACKUP_API_HOST is ${host}: only a demo on this machine may be open`)]),
    ...(token === undefined ? [] : [problem("BACKUP_API_TOKEN is set: unset one of them")]),
    ...(proxies.length === 0 ? [] : [problem("BACKUP_TRUSTED_PROXIES is set, so others may come from afar")]),
  ];
}

function localTier(backupDir: string, file: ConfigFile | null): LocalTierConfig {
  const options = file?.content.tiers?.local;
  return {
    ...OF_ENVIRONMENT,
    ...(options ? optionsOf(options) : {}),
    name: "local",
    kind: "local",
    directory: backupDir,
  };
}

function placeTakenTwice(file: ConfigFile | null, name: string, other: string): Problem {
  const message = `is the same place as the tier ${other}: each tier needs one of its own.`;
  return file?.problem(["tiers", name], message) ?? { variable: `the tier ${name}`, message };
}

function limits(values: Values, file: ConfigFile | null): LimitsConfig {
  const workers = file?.content.workers ?? {};
  return {
    dumpsPerServer: values.BACKUP_DUMPS_PER_SERVER ?? workers.dumpsPerServer ?? 1,
    dumpsPerSite: workers.dumpsPerSite ?? 4,
    spreadSeconds: values.BACKUP_SPREAD ?? workers.spread ?? 300,
    maintenanceMinutes: values.BACKUP_MAINTENANCE_EVERY ?? workers.maintenanceEvery ?? 15,
    retentionGraceSeconds: values.BACKUP_RETENTION_GRACE ?? workers.retentionGrace ?? DAY_SECONDS,
  };
}

function signingKeyFileOf(values: Values, absolute: (file: string) => string): string {
  return absolute(
    values.BACKUP_SIGNING_KEY_FILE ?? path.join(values.BACKUP_DIR ?? "./backups", ".trivault/signing.key"),
  );
}

/** Where the signing key lies or is to lie. Nothing else of the configuration need be there or right yet. */
export function resolveSigningKeyFile(env: Env, around: Surroundings = surroundings()): string {
  const { BACKUP_DIR, BACKUP_SIGNING_KEY_FILE } = env;
  const { values, problems } = readFields({ BACKUP_DIR, BACKUP_SIGNING_KEY_FILE });
  if (problems.length > 0) throw new ConfigError(problems);
  return signingKeyFileOf(values, pathsFrom(around.cwd, around.home));
}

function unknownVariables(env: Env): string[] {
  return Object.keys(env)
    .filter((name) => /^(?:BACKUP|WORKER)_/.test(name) && !(name in FIELDS))
    .map((name) => {
      const meant = nearest(name, Object.keys(FIELDS));
      return `${name} is not a setting of this version and is ignored${meant === null ? "." : `; did you mean ${meant}?`}`;
    });
}
