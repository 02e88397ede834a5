import { isIP } from "node:net";
import { z } from "zod";
import { parseBytes } from "../../bytes.ts";
import { type Format, FORMATS, isUrl } from "../text/formats.ts";
import { isKeyText, looksSecret, referenceTo } from "../text/key-text.ts";
import { parseRetention } from "../text/retention.ts";
import { LOG_LEVELS, QUEUES, RESTORE_SERVERS } from "../model/types.ts";

/**
 * Every environment variable that Trivault reads: how its text becomes a value, and the sentence that says what would be
 * right. An empty variable counts as unset, so that `${NAME:-}` in a compose file works.
 */
const text = z.string();
const flag = z.enum(["true", "false"]).transform((value) => value === "true");
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .refine((n) => n >= min && n <= max);
const path = text.refine((value) => !value.includes("\0") && !looksSecret(value));
/** A path, or the key itself. */
const keyFile = (variable: string) =>
  z.union([text.refine(isKeyText).transform(() => referenceTo(variable)), path]) as z.ZodType<string, string>;
const url = (...protocols: string[]) => text.refine((value) => isUrl(value, ...protocols));
const list = text.transform((value) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);
const bytes = text
  .transform((value) => parseBytes(value) ?? Number.NaN)
  .refine((n) => Number.isInteger(n) && n >= 64 * 1024 && n <= 32 * 1024 * 1024);
const concurrency = field(whole(1, 64), "a whole number from 1 to 64, such as 2");

interface Field<T> {
  readonly schema: z.ZodType<T, string>;
  readonly right: string;
  readonly secret: boolean;
}

function field<T>(schema: z.ZodType<T, string>, right: string, secret = false): Field<T> {
  return { schema, right, secret };
}

/** A field whose text the configuration file takes as well. */
function formatted<T>(format: Format<T>, secret = false): Field<T> {
  const schema = text.transform((value, context): T => {
    const parsed = format.parse(value);
    if (parsed !== null) return parsed;
    context.issues.push({ code: "custom", input: value });
    return z.NEVER;
  });
  return { schema, right: format.right, secret };
}

const retention = formatted({
  parse: parseRetention,
  right: "rules such as hourly=48,daily=14,weekly=8,monthly=12,yearly=3,last=5,within=30d,atLeast=2, or off",
});

export const FIELDS = {
  DATABASE_URL: formatted(FORMATS.postgresUrl, true),
  BACKUP_CONFIG: field(path, "the path of a configuration file, such as ./trivault.config.yaml"),
  BACKUP_DIR: field(path, "a folder, such as ./backups"),
  BACKUP_SCHEDULE: formatted(FORMATS.schedule),
  BACKUP_TIME_ZONE: formatted(FORMATS.timeZone),
  BACKUP_RETENTION: retention,
  BACKUP_RETENTION_LOCAL: retention,
  BACKUP_RETENTION_REMOTE: retention,
  BACKUP_RETENTION_CLOUD: retention,
  BACKUP_OBJECTIVE: formatted(FORMATS.objective),
  BACKUP_DUMPS_PER_SERVER: concurrency,
  BACKUP_SPREAD: formatted(FORMATS.duration),
  BACKUP_MAINTENANCE_EVERY: formatted(FORMATS.maintenance),
  BACKUP_RETENTION_GRACE: formatted(FORMATS.duration),
  BACKUP_REMOTE_SERVER: field(
    text
      .regex(/^(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\])(?::\d{1,5})?$/)
      .refine((server) => isPort(/:(\d+)$/.exec(server)?.[1] ?? "22")),
    "host or host:port, such as backup.example.org:22",
  ),
  BACKUP_SSH_USER: formatted(FORMATS.sshUser),
  BACKUP_SSH_KEY: field(
    keyFile("BACKUP_SSH_KEY"),
    "the path of a private SSH key, such as ~/.ssh/id_ed25519, or the key itself (-----BEGIN …)",
  ),
  BACKUP_SSH_KNOWN_HOSTS: field(path, "the path of a known_hosts file, such as ~/.ssh/known_hosts"),
  BACKUP_SSH_HOST_KEY: formatted(FORMATS.fingerprint),
  BACKUP_REMOTE_DIR: field(path, "a folder on the server, such as /srv/backups"),
  BACKUP_CLOUD_PROVIDER: field(
    text.refine((value) => value === "aws"),
    "aws (any S3-compatible storage; gcp and azure come in a later version)",
  ),
  BACKUP_S3_BUCKET: formatted(FORMATS.bucket),
  BACKUP_S3_PREFIX: formatted(FORMATS.prefix),
  BACKUP_CLOUD_REGION: formatted(FORMATS.region),
  BACKUP_S3_ENDPOINT: formatted(FORMATS.endpoint),
  BACKUP_S3_PATH_STYLE: field(flag, "true or false"),
  BACKUP_S3_VERIFY: field(z.enum(["server", "readback"]), "server or readback"),
  BACKUP_S3_CONDITIONAL_PUT: field(flag, "true or false"),
  REDIS_URL: field(url("redis:", "rediss:", "unix:"), "a Redis URL, such as redis://localhost:6379", true),
  REDIS_PASSWORD_FILE: field(path, "the path of a file that holds the password of REDIS_URL"),
  BACKUP_ENCRYPTION: field(z.enum(["age", "none"]), "age, or none for plaintext backups"),
  BACKUP_ENCRYPTION_RECIPIENTS: field(
    list.refine((items) => items.length > 0 && items.every((item) => /^age1[0-9a-z]{20,}$/.test(item))),
    "one or more age recipients (public keys, age1…), separated by commas; `npm run backup:keys:generate` makes a pair",
  ),
  BACKUP_IDENTITY_FILE: field(
    keyFile("BACKUP_IDENTITY_FILE"),
    "the path of an age identity file, or its text (AGE-SECRET-KEY-1…)",
  ),
  BACKUP_RESTORE_TARGET: field(
    url("postgres:", "postgresql:"),
    "the PostgreSQL URL to restore into, such as postgresql://postgres:password@host:5432/restored",
    true,
  ),
  BACKUP_RESTORE_TARGETS: field(
    list.pipe(z.array(z.enum(RESTORE_SERVERS))) as unknown as z.ZodType<(typeof RESTORE_SERVERS)[number][], string>,
    `where operators may restore to: ${RESTORE_SERVERS.join(", ")}, or both, separated by commas`,
  ),
  BACKUP_SIGNING_KEY_FILE: field(
    keyFile("BACKUP_SIGNING_KEY_FILE"),
    "the path of the signing key that `npm run backup:keys:generate` wrote, or its text (-----BEGIN …)",
  ),
  BACKUP_TRUSTED_KEYS: field(
    list.refine((items) => items.every((item) => /^tvsign1[A-Za-z0-9_-]{43}$/.test(item))),
    "signing public keys (tvsign1…), separated by commas",
  ),
  BACKUP_SPOOL_DIR: field(path, "a folder in memory (tmpfs), such as /dev/shm/trivault"),
  BACKUP_SEGMENT_SIZE: field(bytes, "a size from 64KiB to 32MiB, such as 16MiB"),
  BACKUP_ROW_COUNTS: field(flag, "true or false"),
  BACKUP_PG_BIN_DIR: field(path, "the folder of pg_dump, such as /usr/lib/postgresql/17/bin"),
  BACKUP_API_HOST: field(text.regex(/^[A-Za-z0-9.:_-]+$/), "an address to listen on, such as 127.0.0.1"),
  BACKUP_API_PORT: field(whole(0, 65535), "a port, such as 3000"),
  BACKUP_API_TOKEN: field(
    text.regex(/^[!-~]{16,}$/),
    "a secret of at least 16 letters, digits and signs, such as `openssl rand -hex 32` prints",
    true,
  ),
  BACKUP_API_OPEN: field(flag, "true (a demo on this machine: nobody is asked who they are) or false"),
  BACKUP_ACCESS_FILE: field(path, "the path of the access file that `trivault token` and `trivault user` write"),
  BACKUP_PUBLIC_URL: field(
    url("http:", "https:"),
    "the URL where people reach the dashboard, such as https://backups.example.org",
  ),
  BACKUP_TRUSTED_PROXIES: field(
    list.refine((items) => items.every(isNetwork)),
    "addresses of reverse proxies, such as 127.0.0.1 or 10.0.0.0/8, separated by commas",
  ),
  WORKER_METRICS_PORT: field(whole(1, 65535), "a port, such as 9464"),
  WORKER_METRICS_HOST: field(text.regex(/^[A-Za-z0-9.:_-]+$/), "an address to listen on, such as 127.0.0.1"),
  WORKER_QUEUES: field(
    list.pipe(z.array(z.enum(QUEUES)).min(1)) as unknown as z.ZodType<(typeof QUEUES)[number][], string>,
    `some of ${QUEUES.join(", ")}, separated by commas`,
  ),
  WORKER_DUMP_CONCURRENCY: concurrency,
  WORKER_ENCRYPT_CONCURRENCY: concurrency,
  WORKER_REMOTE_SYNC_CONCURRENCY: concurrency,
  WORKER_CLOUD_UPLOAD_CONCURRENCY: concurrency,
  WORKER_TAKEOVER_SECONDS: field(whole(5, 600), "a number of seconds from 5 to 600, such as 30"),
  WORKER_GRACE_SECONDS: field(whole(0, 3600), "a number of seconds, such as 25"),
  LOG_LEVEL: field(z.enum(LOG_LEVELS), `one of ${LOG_LEVELS.join(", ")}`),
} as const;

export type Variable = keyof typeof FIELDS;
export type Values = { [V in Variable]?: (typeof FIELDS)[V] extends Field<infer T> ? T : never };

function isNetwork(network: string): boolean {
  const [address = "", prefix = "0", ...rest] = network.split("/");
  const bits = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}

function isPort(digits: string): boolean {
  return Number(digits) >= 1 && Number(digits) <= 65535;
}
