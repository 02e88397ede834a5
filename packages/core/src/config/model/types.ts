import type { MonitoringConfig } from "./monitoring-types.ts";

/** What the whole program is configured with, resolved and validated once at start. Secrets are marked; never log them. */
export interface Config {
  readonly databases: readonly DatabaseConfig[];
  /** Servers whose databases are found by pattern; one is backed up as `<server>.<database>`. */
  readonly servers: readonly ServerConfig[];
  /** The first is always `local`. */
  readonly tiers: readonly TierConfig[];
  readonly limits: LimitsConfig;
  /** Where `trivault.config.yaml` was read from; null where there is none. */
  readonly configFile: string | null;
  readonly encryption: EncryptionConfig;
  readonly identityFile: string | null;
  /** Where operators may restore to through the API; administrators may to any. */
  readonly restoreTargets: readonly RestoreServer[];
  /** Secret: a URL of the server (and a database) that restores go to where none is named. */
  readonly restoreTarget: string | null;
  /** Ed25519 private key that signs manifests; made at first use where it is missing. */
  readonly signingKeyFile: string;
  /** `tvsign1…` public keys whose manifests a restore believes, beside those in the identity and signing key files. */
  readonly trustedKeys: readonly string[];
  readonly backupDir: string;
  /** Where plaintext segments wait for encryption; should be on tmpfs. */
  readonly spoolDir: string;
  /** The folder in memory, open to the whole machine, that `spoolDir` is a link into; null where it is none. */
  readonly spoolMemory: string | null;
  /** Bytes of compressed plaintext in a segment. */
  readonly segmentSize: number;
  /** Count every table's rows in the dump's own snapshot, to be compared after a restore. */
  readonly rowCounts: boolean;
  /** Folder of `pg_dump` and `pg_restore`; null means: found by version. */
  readonly pgBinDir: string | null;
  /** Secret. Null means: `npm start` runs a private redis-server under `backupDir`. */
  readonly redisUrl: string | null;
  readonly worker: WorkerConfig;
  readonly api: ApiConfig;
  readonly monitoring: MonitoringConfig;
  readonly logLevel: LogLevel;
  /** Settings that look mistaken but do no harm. */
  readonly warnings: readonly string[];
}

/** The server that a backup came from, or that of BACKUP_RESTORE_TARGET. */
export const RESTORE_SERVERS = ["source-server", "restore-server"] as const;
export type RestoreServer = (typeof RESTORE_SERVERS)[number];

export interface DatabaseConfig {
  readonly name: string;
  /** Secret: a libpq URL with its password. */
  readonly url: string;
  /** What holds that URL, for messages: `DATABASE_URL`, or the variable or the part of the file that names it. */
  readonly urlSetting: string;
  /** Null means: only on demand. */
  readonly schedule: { readonly cron: string; readonly timeZone: string } | null;
  /** IANA name; of the schedule and of the calendar that retention goes by. */
  readonly timeZone: string;
  /** Names of the tiers that shall hold its backups; the first is always `local`. */
  readonly tiers: readonly string[];
  /** What each of those tiers keeps; null means everything, for ever. */
  readonly retention: Readonly<Record<string, RetentionPolicy | null>>;
  readonly selection: Selection;
  /** 1 is served first, 10 last. */
  readonly priority: number;
  /** Recovery point objective: no tier's newest good copy may be older. Null means: as the schedule implies. */
  readonly objectiveSeconds: number | null;
}

/** How many backups stay: the newest of each of so many calendar hours, days, … that have one; all rules add up. */
export interface RetentionPolicy {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** All that are not older than this, seen from the newest one; null means no such rule. */
  readonly withinSeconds: number | null;
  /** The newest complete copies on a tier that stay whatever the rules or the clock say; at least 1. */
  readonly atLeast: number;
}

/** Patterns of pg_dump's `--schema`, `--table`, `--exclude-schema`, `--exclude-table`; all empty means everything. */
export interface Selection {
  readonly schemas: readonly string[];
  readonly tables: readonly string[];
  readonly excludeSchemas: readonly string[];
  readonly excludeTables: readonly string[];
}

/** A server on which databases are discovered. All else is as for a database, and holds for each that is found. */
export interface ServerConfig extends Omit<DatabaseConfig, "name" | "url"> {
  readonly name: string;
  /** Secret: a URL of the server; the database in it is where the others are asked for. */
  readonly url: string;
  /** Shell-like patterns (`*`, `?`) of database names. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface LimitsConfig {
  /** Dumps at a time of one database server (host and port), by all workers of the site. */
  readonly dumpsPerServer: number;
  readonly dumpsPerSite: number;
  /** Databases whose cron lines meet start spread over so many seconds, each always at the same one; 0: all at once. */
  readonly spreadSeconds: number;
  readonly maintenanceMinutes: number;
  /** For so long rules that changed delete nothing that those before them keep, unless somebody orders it; 0: at once. */
  readonly retentionGraceSeconds: number;
}

export type TierConfig = LocalTierConfig | SftpTierConfig | S3TierConfig;

/** Where something was set: in the environment, or in a part of the configuration file such as `tiers.nas`. */
export type Origin = "environment" | { readonly file: string; readonly at: string };

interface TierOptions {
  readonly name: string;
  /** Where its place and access were set (see settingOf); budget and prices always stand in the file. */
  readonly origin: Origin;
  /** What all backups on it may take; null means no limit. `stop`: copies to a tier over its budget are refused. */
  readonly budget: { readonly bytes: number; readonly whenFull: "warn" | "stop" } | null;
  /** Money per GB (10^9 bytes) and month, by storage class (`STANDARD` where a tier knows none); empty: not known. */
  readonly prices: Readonly<Record<string, number>>;
}

export interface LocalTierConfig extends TierOptions {
  readonly kind: "local";
  readonly directory: string;
}

export interface SftpTierConfig extends TierOptions {
  readonly kind: "sftp";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  readonly directory: string;
  /** How the server is recognised: a `SHA256:…` fingerprint, or a known_hosts file. */
  readonly hostKey: { readonly fingerprint: string } | { readonly knownHostsFile: string };
}

export interface S3TierConfig extends TierOptions {
  readonly kind: "s3";
  readonly bucket: string;
  /** Folder inside the bucket, without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly region: string;
  /** Null means AWS itself. */
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
  /** `server`: the server checks the SHA-256 of each PUT (AWS, Ceph, MinIO do). `readback`: read every object again. */
  readonly verify: "server" | "readback";
  /** Whether PUT honours `If-None-Match: *`; where not, a HEAD goes before each PUT. */
  readonly conditionalPut: boolean;
  /** Secret. Null means: the AWS SDK's own chain (environment, profile, instance role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** The class that objects are put with; null means the bucket's default. */
  readonly storageClass: StorageClass | null;
  /** Later classes by age, ascending. */
  readonly lifecycle: readonly { readonly afterDays: number; readonly storageClass: StorageClass }[];
}

/** Classes that can be read at once; from the others a restore would wait for hours. */
export const STORAGE_CLASSES = [
  "STANDARD",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
  "REDUCED_REDUNDANCY",
] as const;
export type StorageClass = (typeof STORAGE_CLASSES)[number];

export type EncryptionConfig =
  | { readonly mode: "age"; readonly recipients: readonly string[] }
  | { readonly mode: "none" };

export const QUEUES = ["dump", "encrypt", "remote-sync", "cloud-upload", "restore", "verify", "maintenance"] as const;
export type QueueName = (typeof QUEUES)[number];

export interface WorkerConfig {
  readonly queues: readonly QueueName[];
  readonly concurrency: Readonly<Record<QueueName, number>>;
  /** A worker silent for this long counts as dead; another takes its work over. */
  readonly takeoverSeconds: number;
  /** How long SIGTERM waits for running jobs before it hands them back. */
  readonly graceSeconds: number;
  /** Where a worker of its own serves `/metrics` and `/healthz`; null means nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
}

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  /** Secret: an administrator's token. Null is allowed on loopback only, or where the access file has users or tokens. */
  readonly token: string | null;
  /** For a demo: on loopback, every account of the machine is an administrator while there is no token and no user. */
  readonly open: boolean;
  /** Named tokens and the dashboard's users, as hashes. */
  readonly accessFile: string;
  /** Where people reach the dashboard, for links in messages and the login's checks; null: as the request says. */
  readonly publicUrl: string | null;
  /** Addresses of reverse proxies whose `X-Forwarded-For` and `-Proto` are believed. */
  readonly trustedProxies: readonly string[];
}

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
