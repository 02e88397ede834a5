/** What the whole program is configured with, resolved and validated once at start. Secrets are marked; never log them. */
export interface Config {
  readonly databases: readonly DatabaseConfig[];
  /** The first is always `local`. */
  readonly tiers: readonly TierConfig[];
  readonly encryption: EncryptionConfig;
  readonly identityFile: string | null;
  /** Ed25519 private key that signs manifests; made at first use where it is missing. */
  readonly signingKeyFile: string;
  /** `tvsign1…` public keys whose manifests a restore believes, beside those in the identity and signing key files. */
  readonly trustedKeys: readonly string[];
  readonly backupDir: string;
  /** Where plaintext segments wait for encryption; should be on tmpfs. */
  readonly spoolDir: string;
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
  readonly logLevel: LogLevel;
  /** Settings that look mistaken but do no harm. */
  readonly warnings: readonly string[];
}

export interface DatabaseConfig {
  readonly name: string;
  /** Secret: a libpq URL with its password. */
  readonly url: string;
  /** Null means: only on demand. */
  readonly schedule: { readonly cron: string; readonly timeZone: string } | null;
}

export type TierConfig = LocalTierConfig | SftpTierConfig | S3TierConfig;

export interface LocalTierConfig {
  readonly name: string;
  readonly kind: "local";
  readonly directory: string;
}

export interface SftpTierConfig {
  readonly name: string;
  readonly kind: "sftp";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  readonly directory: string;
  /** How the server is recognised: a `SHA256:…` fingerprint, or a known_hosts file. */
  readonly hostKey: { readonly fingerprint: string } | { readonly knownHostsFile: string };
}

export interface S3TierConfig {
  readonly name: string;
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
}

export type EncryptionConfig =
  | { readonly mode: "age"; readonly recipients: readonly string[] }
  | { readonly mode: "none" };

export const QUEUES = ["dump", "encrypt", "remote-sync", "cloud-upload", "maintenance"] as const;
export type QueueName = (typeof QUEUES)[number];

export interface WorkerConfig {
  readonly queues: readonly QueueName[];
  readonly concurrency: Readonly<Record<QueueName, number>>;
  /** A worker silent for this long counts as dead; another takes its work over. */
  readonly takeoverSeconds: number;
  /** How long SIGTERM waits for running jobs before it hands them back. */
  readonly graceSeconds: number;
}

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  /** Secret. Null is allowed on loopback only. */
  readonly token: string | null;
}

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
