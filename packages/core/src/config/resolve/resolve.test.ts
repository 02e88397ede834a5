import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { databaseNameOf } from "./databases.ts";
import type { Env } from "../file/tiers.ts";
import { ConfigError } from "../model/problems.ts";
import { type Purpose, resolveConfig, resolveSigningKeyFile } from "./resolve.ts";
import { redisProtection } from "../environment/redis-url.ts";
import { DEFAULT_RETENTION } from "../text/retention.ts";
import { QUEUES } from "../model/types.ts";

const AROUND = { cwd: "/srv/app", home: "/home/ann", memoryDir: "/dev/shm" };
const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const LOCAL: Env = { DATABASE_URL: "postgresql://ann:hunter2@db:5432/shop", BACKUP_ENCRYPTION_RECIPIENTS: RECIPIENT };
const REMOTE: Env = {
  BACKUP_REMOTE_SERVER: "backup.example.org:2222",
  BACKUP_SSH_USER: "trivault",
  BACKUP_SSH_KEY: "~/.ssh/id_ed25519",
  BACKUP_REMOTE_DIR: "/srv/backups/",
  BACKUP_SSH_HOST_KEY: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
};
const CLOUD: Env = { BACKUP_CLOUD_PROVIDER: "aws", BACKUP_S3_BUCKET: "acme-backups", BACKUP_CLOUD_REGION: "eu-west-3" };

const resolve = (env: Env, purpose: Purpose = "backup") => resolveConfig(env, purpose, AROUND);

function problems(env: Env, purpose: Purpose = "backup"): Record<string, string> {
  try {
    resolve(env, purpose);
  } catch (error) {
    if (error instanceof ConfigError) return Object.fromEntries(error.problems.map((p) => [p.variable, p.message]));
    throw error;
  }
  return {};
}

describe("a configuration", () => {
  test("needs only a database and a recipient", () => {
    const config = resolve(LOCAL);
    expect(config).toMatchObject({
      databases: [{ name: "shop", url: LOCAL["DATABASE_URL"], schedule: { cron: "0 * * * *", timeZone: "UTC" } }],
      tiers: [{ name: "local", kind: "local", directory: "/srv/app/backups" }],
      encryption: { mode: "age", recipients: [RECIPIENT] },
      backupDir: "/srv/app/backups",
      signingKeyFile: "/srv/app/backups/.trivault/signing.key",
      identityFile: null,
      restoreTarget: null,
      segmentSize: 16 * 1024 * 1024,
      redisUrl: null,
      worker: { queues: QUEUES },
      api: { host: "127.0.0.1", port: 3000, token: null },
      logLevel: "info",
      warnings: [],
    });
    expect(config).toMatchObject({ spoolDir: "/srv/app/backups/.trivault/spool", spoolMemory: "/dev/shm" });
  });

  test("has all three tiers, local first", () => {
    const options = { origin: "environment", budget: null, prices: {} };
    expect(resolve({ ...LOCAL, ...REMOTE, ...CLOUD }).tiers).toEqual([
      { ...options, name: "local", kind: "local", directory: "/srv/app/backups" },
      {
        ...options,
        name: "remote",
        kind: "sftp",
        host: "backup.example.org",
        port: 2222,
        user: "trivault",
        keyFile: "/home/ann/.ssh/id_ed25519",
        directory: "/srv/backups",
        hostKey: { fingerprint: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" },
      },
      {
        ...options,
        name: "cloud",
        kind: "s3",
        bucket: "acme-backups",
        prefix: "",
        region: "eu-west-3",
        endpoint: null,
        pathStyle: false,
        verify: "server",
        conditionalPut: true,
        credentials: null,
        storageClass: null,
        lifecycle: [],
      },
    ]);
  });

  test.each([
    ["backup", "backup", 22],
    ["backup:2222", "backup", 2222],
    ["10.0.0.1:22", "10.0.0.1", 22],
    ["[::1]", "::1", 22],
    ["[fe80::1%eth0]:2222", "fe80::1%eth0", 2222],
  ])("reads the server %s", (server, host, port) => {
    expect(resolve({ ...LOCAL, ...REMOTE, BACKUP_REMOTE_SERVER: server }).tiers[1]).toMatchObject({ host, port });
  });

  test("reads the rest of what may be set", () => {
    const config = resolve({
      ...LOCAL,
      ...CLOUD,
      BACKUP_DIR: "~/b",
      BACKUP_SCHEDULE: "off",
      BACKUP_S3_ENDPOINT: "http://127.0.0.1:9000",
      BACKUP_S3_PREFIX: "production/postgres",
      BACKUP_S3_VERIFY: "readback",
      BACKUP_S3_CONDITIONAL_PUT: "false",
      BACKUP_ENCRYPTION_RECIPIENTS: ` ${RECIPIENT} , ${RECIPIENT},`,
      BACKUP_IDENTITY_FILE: "keys/../identity.txt",
      BACKUP_SPOOL_DIR: "/mnt/spool",
      BACKUP_SEGMENT_SIZE: "64KiB",
      BACKUP_ROW_COUNTS: "false",
      REDIS_URL: "unix:///run/redis.sock",
      WORKER_QUEUES: "dump, encrypt",
      WORKER_ENCRYPT_CONCURRENCY: "8",
      BACKUP_API_PORT: "0",
      LOG_LEVEL: "silent",
    });
    expect(config).toMatchObject({
      backupDir: "/home/ann/b",
      databases: [{ schedule: null }],
      tiers: [
        {},
        {
          endpoint: "http://127.0.0.1:9000",
          pathStyle: true,
          prefix: "production/postgres",
          verify: "readback",
          conditionalPut: false,
        },
      ],
      encryption: { recipients: [RECIPIENT] },
      identityFile: "/srv/app/identity.txt",
      spoolDir: "/mnt/spool",
      segmentSize: 65_536,
      rowCounts: false,
      redisUrl: "unix:///run/redis.sock",
      worker: { queues: ["dump", "encrypt"], concurrency: { encrypt: 8 } },
      api: { port: 0 },
      logLevel: "silent",
    });
  });

  test("takes retention, limits and objective from the environment", () => {
    const config = resolve({
      ...LOCAL,
      ...CLOUD,
      BACKUP_SCHEDULE: "@daily",
      BACKUP_RETENTION: "hourly=24, daily=30,within=2d,atLeast=3",
      BACKUP_RETENTION_CLOUD: "off",
      BACKUP_OBJECTIVE: "90m",
      BACKUP_DUMPS_PER_SERVER: "3",
      BACKUP_SPREAD: "0",
      BACKUP_MAINTENANCE_EVERY: "5",
    });
    const none = { last: 0, weekly: 0, monthly: 0, yearly: 0 };
    expect(config.databases[0]).toMatchObject({
      schedule: { cron: "0 0 * * *" },
      tiers: ["local", "cloud"],
      retention: { local: { ...none, hourly: 24, daily: 30, withinSeconds: 172_800, atLeast: 3 }, cloud: null },
      objectiveSeconds: 5400,
    });
    expect(config.limits).toEqual({
      dumpsPerServer: 3,
      dumpsPerSite: 4,
      spreadSeconds: 0,
      maintenanceMinutes: 5,
      retentionGraceSeconds: 86_400,
    });
    expect(resolve(LOCAL).databases[0]?.retention).toEqual({ local: DEFAULT_RETENTION });
  });

  test("says where the signing key lies although all else is wrong", () => {
    const env = { BACKUP_DIR: "/b", REDIS_URL: "nonsense", BACKUP_CONFIG: "/nowhere" };
    expect(resolveSigningKeyFile(env, AROUND)).toBe("/b/.trivault/signing.key");
  });

  test("counts an empty variable as unset", () => {
    const empty = Object.fromEntries(
      [...Object.keys(REMOTE), ...Object.keys(CLOUD), "BACKUP_DIR"].map((name) => [name, ""]),
    );
    expect(resolve({ ...LOCAL, ...empty })).toEqual(resolve(LOCAL));
  });

  test("spools next to the backups, by a link into memory unless there is none or BACKUP_SPOOL_DIR names a folder", () => {
    expect(resolveConfig(LOCAL, "backup", { ...AROUND, memoryDir: null })).toMatchObject({
      spoolDir: "/srv/app/backups/.trivault/spool",
      spoolMemory: null,
    });
    expect(resolve({ ...LOCAL, BACKUP_SPOOL_DIR: "/mnt/spool" }).spoolMemory).toBeNull();
  });

  test("9.C19 is open for a demo only: on this machine, without a token, without proxies", () => {
    const open = { ...LOCAL, BACKUP_API_OPEN: "true" };
    expect(resolve(LOCAL).api.open).toBe(false);
    expect(resolve(open).api.open).toBe(true);
    for (const more of [
      { BACKUP_API_HOST: "0.0.0.0" },
      { BACKUP_API_TOKEN: "a-token-of-the-tests" },
      { BACKUP_TRUSTED_PROXIES: "10.0.0.1" },
    ]) {
      expect(problems({ ...open, ...more })["BACKUP_API_OPEN"]).toContain(Object.keys(more)[0]);
    }
  });

  test("9.C21 takes the password of Redis from a file, and for reading does without it", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "tv-redis-password-"));
    const file = path.join(folder, "password");
    const env = { ...LOCAL, REDIS_URL: "redis://redis:6379", REDIS_PASSWORD_FILE: file };
    expect(problems(env)["REDIS_PASSWORD_FILE"]).toContain("cannot be read");
    expect(resolve(env, "read").redisUrl).toBe("redis://redis:6379");
    await writeFile(file, "hunter2@/\n", { mode: 0o600 });
    expect(resolve(env).redisUrl).toBe("redis://:hunter2%40%2F@redis:6379");
    expect(problems({ ...env, REDIS_URL: "" })["REDIS_PASSWORD_FILE"]).toContain("REDIS_URL");
    await rm(folder, { recursive: true });
  });

  test.each([
    [null, "of its own, on this machine"],
    ["unix:///run/redis.sock", "on this machine"],
    ["redis://:p@127.0.0.1:6379", "on this machine"],
    ["redis://[::1]", "on this machine"],
    ["rediss://:p@far.example.org", "TLS, certificate verified"],
    ["redis://far.example.org", "NO TLS (rediss:// has it), NO PASSWORD"],
    ["redis://:p@10.0.0.7:6379/0", "NO TLS (rediss:// has it), PASSWORD UNPROTECTED"],
  ])("9.C20 says what protects the way to Redis (%s)", (url, protection) => {
    expect(redisProtection(url)).toBe(protection);
  });

  test("for reading needs nothing at all", () => {
    expect(resolve({}, "read")).toMatchObject({ databases: [], tiers: [{ name: "local" }] });
    expect(resolve({ ...REMOTE, ...CLOUD }, "read").tiers.map(({ name }) => name)).toEqual([
      "local",
      "remote",
      "cloud",
    ]);
  });

  test("warns of a name that is nearly right, and leaves other programs' variables alone", () => {
    const { warnings } = resolve({ ...LOCAL, BACKUP_DIRECTORY: "/x", WORKER_QUEUE: "dump", PATH: "/bin" });
    expect(warnings).toEqual([
      "BACKUP_DIRECTORY is not a setting of this version and is ignored.",
      "WORKER_QUEUE is not a setting of this version and is ignored; did you mean WORKER_QUEUES?",
    ]);
  });
});

describe("what is wrong with a configuration", () => {
  test("is reported all at once, in one error, each with its variable and what would be right", () => {
    const env = {
      DATABASE_URL: "mysql://x",
      BACKUP_SEGMENT_SIZE: "1G",
      WORKER_QUEUES: "dump,nope",
      BACKUP_CLOUD_PROVIDER: "gcp",
    };
    expect(() => resolve(env)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", permanent: true }));
    expect(problems(env)).toEqual({
      DATABASE_URL: expect.stringContaining("expected a PostgreSQL URL"),
      BACKUP_SEGMENT_SIZE: 'is "1G": expected a size from 64KiB to 32MiB, such as 16MiB.',
      WORKER_QUEUES: expect.stringContaining('is "dump,nope": expected some of dump, encrypt'),
      BACKUP_CLOUD_PROVIDER: expect.stringMatching(/^is "gcp": expected aws .*later version/),
      BACKUP_ENCRYPTION_RECIPIENTS: expect.stringContaining("npm run backup:keys:generate"),
      BACKUP_S3_BUCKET: expect.stringContaining("is not set: a cloud tier needs a bucket"),
    });
  });

  test("never shows a secret", () => {
    const env = {
      DATABASE_URL: "mysql://ann:hunter2@db/shop",
      REDIS_URL: "http://:hunter2@h",
      BACKUP_API_TOKEN: "hunter2",
    };
    const found = problems(env);
    expect(Object.keys(found)).toEqual(expect.arrayContaining(Object.keys(env)));
    expect(JSON.stringify(found)).not.toContain("hunter2");
    expect(() => resolve(env)).toThrow(expect.not.objectContaining({ message: expect.stringContaining("hunter2") }));
  });

  test.each<[string, Env, readonly string[]]>([
    ["no database", { BACKUP_ENCRYPTION_RECIPIENTS: RECIPIENT }, ["DATABASE_URL"]],
    ["no recipient", { DATABASE_URL: "postgres://h/shop" }, ["BACKUP_ENCRYPTION_RECIPIENTS"]],
    ["a URL of no database", { ...LOCAL, DATABASE_URL: "postgres://ann@h" }, ["DATABASE_URL"]],
    ["recipients without encryption", { ...LOCAL, BACKUP_ENCRYPTION: "none" }, ["BACKUP_ENCRYPTION"]],
    ["only commas", { ...LOCAL, BACKUP_ENCRYPTION_RECIPIENTS: " , " }, ["BACKUP_ENCRYPTION_RECIPIENTS"]],
    [
      "an identity for a recipient",
      { ...LOCAL, BACKUP_ENCRYPTION_RECIPIENTS: "AGE-SECRET-KEY-1Q" },
      ["BACKUP_ENCRYPTION_RECIPIENTS"],
    ],
    [
      "a server alone",
      { ...LOCAL, BACKUP_REMOTE_SERVER: "h" },
      ["BACKUP_REMOTE_DIR", "BACKUP_SSH_HOST_KEY", "BACKUP_SSH_KEY", "BACKUP_SSH_USER"],
    ],
    ["a remote folder alone", { ...LOCAL, BACKUP_REMOTE_DIR: "/x" }, ["BACKUP_REMOTE_SERVER"]],
    ["an endpoint alone", { ...LOCAL, BACKUP_S3_ENDPOINT: "http://h" }, ["BACKUP_S3_BUCKET"]],
  ])("%s", (_, env, variables) => {
    expect(Object.keys(problems(env)).toSorted()).toEqual(variables);
  });

  test.each([
    ["BACKUP_REMOTE_SERVER", ["h:0", "h:65536", "h:99999", "h:x", "user@h", "h/x", "-oProxyCommand=x", "::1", "a b"]],
    ["BACKUP_SSH_USER", ["a b", "a@b", "a:b", "a/b"]],
    ["BACKUP_SSH_HOST_KEY", ["SHA256:abc", "MD5:00:11", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"]],
    ["BACKUP_S3_BUCKET", ["A", "Acme", "a_b", "-ab", "ab-", "a/b", "x".repeat(64)]],
    ["BACKUP_S3_PREFIX", ["/a", "a/", "a//b", "..", "a/../b", "./a", "a b"]],
    ["BACKUP_S3_ENDPOINT", ["ftp://h", "h:9000", "http//h"]],
    ["BACKUP_S3_PATH_STYLE", ["yes", "1", "TRUE"]],
    [
      "BACKUP_SCHEDULE",
      ["hourly", "* * *", "* * * * * * *", "@every 1h", "@reboot", "0 0 31 2 *", "60 * * * *", "H * * * *"],
    ],
    ["BACKUP_RETENTION", ["daily", "daily=x", "dayly=1", "daily=1,daily=2", "atLeast=0", "within=0", "within=3", ","]],
    ["BACKUP_RETENTION_CLOUD", ["none"]],
    ["BACKUP_OBJECTIVE", ["10", "1x", "30s"]],
    ["BACKUP_SPREAD", ["10", "-5m"]],
    ["BACKUP_MAINTENANCE_EVERY", ["0", "90s", "2d"]],
    ["BACKUP_DUMPS_PER_SERVER", ["0", "65"]],
    ["BACKUP_CONFIG", ["a\0b"]],
    ["BACKUP_TIME_ZONE", ["Europe/Atlantis", "x"]],
    ["BACKUP_SEGMENT_SIZE", ["63KiB", "33MiB", "0", "-1", "big"]],
    ["BACKUP_API_PORT", ["-1", "65536", "3000.5", "http", "0x10"]],
    ["BACKUP_API_TOKEN", ["short"]],
    ["BACKUP_TRUSTED_KEYS", ["age1x", "tvsign1short"]],
    ["BACKUP_DIR", ["a\0b"]],
    ["REDIS_URL", ["localhost:6379", "http://h"]],
    ["WORKER_DUMP_CONCURRENCY", ["0", "65", "1.5", "two"]],
    ["LOG_LEVEL", ["verbose", "INFO"]],
  ])("%s is checked", (variable, values) => {
    for (const value of values) {
      const found = problems({ ...LOCAL, ...REMOTE, ...CLOUD, [variable]: value });
      expect({ value, found: Object.keys(found) }).toEqual({ value, found: [variable] });
    }
  });
});

test.each([
  ["postgres://h/shop", "shop"],
  ["postgres://h/shop?sslmode=require", "shop"],
  ["postgresql://u:p@h:5432/M%C3%BCller", "Müller"],
  ["postgresql:///shop?host=/run/postgresql", "shop"],
  ["postgresql://h?dbname=shop", "shop"],
  ["postgres://h", null],
  ["postgres://h/", null],
  ["postgres://h/a%2Fb", null],
  ["postgres://h/a%00b", null],
  ["postgres://h/%E0", null],
  ["not a url", null],
])("databaseNameOf(%j) is %j", (url, name) => {
  expect(databaseNameOf(url)).toBe(name);
});
