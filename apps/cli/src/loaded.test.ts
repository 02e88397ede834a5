import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { loadedBy } from "./testing/loaded-modules.ts";

/*
 * How long a command takes to start is how many modules it loads: about a third of a millisecond each. These tests count
 * them, as a clock would measure the machine. Where one fails, look for an import that should be `await import` at its use,
 * or lead to a narrower entry (`@trivault/core/basics`, `@trivault/backup/look`, `@trivault/maintenance/look`).
 */
let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), "cli-"));
});
afterAll(() => rm(cwd, { recursive: true }));

/** For connections and queues: a command that only looks at the local tier opens none. */
const OF_CONNECTIONS = [
  "@aws-sdk/client-s3",
  "@smithy/node-http-handler",
  "age-encryption",
  "bullmq",
  "cli-progress",
  "ioredis",
  "nodemailer",
  "pg",
  "ssh2",
  "ssh2-sftp-client",
];
/** For configuration and state. */
const OF_SETTINGS = ["cron-parser", "luxon", "pino", "yaml", "zod"];

test.each([["--help"], ["list --help"], ["audit logs --help"], ["--version"], ["restore"]])(
  "`trivault %s` loads commander, and no other library",
  async (line) => {
    const loaded = await loadedBy(line.split(" "), { cwd, env: {} });
    const libraries = new Set(loaded.filter((name) => !/^(?:node:|apps\/|packages\/)/.test(name)));
    expect([...libraries].filter((name) => !name.startsWith("data:"))).toEqual(["commander"]);
    const ours = new Set(loaded.filter((name) => name.startsWith("packages/")));
    expect([...ours].toSorted()).toEqual(["packages/audit", "packages/core"]);
    expect(loaded.length).toBeLessThan(90);
  },
);

test("`list` loads nothing that connects, and no stage of a backup", async () => {
  const loaded = await loadedBy(["list"], { cwd, env: {} });
  expect(OF_CONNECTIONS.filter((name) => loaded.includes(name))).toEqual([]);
  expect(loaded).not.toContain("packages/postgres");
  expect(OF_SETTINGS.filter((name) => loaded.includes(name))).toEqual(["pino", "zod"]);
  expect(loaded.length).toBeLessThan(400);
});

test("`health` loads nothing that connects, and no stage of a backup", async () => {
  const env = { DATABASE_URL: "postgresql://u@127.0.0.1:1/shop" };
  const loaded = await loadedBy(["health"], { cwd, env });
  expect(OF_CONNECTIONS.filter((name) => loaded.includes(name))).toEqual([]);
  expect(loaded).not.toContain("packages/postgres");
  expect(loaded.length).toBeLessThan(420);
});

test("the libraries of SSH and S3 come with the first call to such a tier", async () => {
  const env = {
    BACKUP_REMOTE_SERVER: "127.0.0.1:1",
    BACKUP_SSH_USER: "u",
    BACKUP_SSH_KEY: "key",
    BACKUP_REMOTE_DIR: "/b",
    BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}`,
    BACKUP_S3_BUCKET: "backups",
    BACKUP_S3_ENDPOINT: "http://127.0.0.1:1",
    BACKUP_CLOUD_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
  };
  expect(await loadedBy(["list"], { cwd, env })).toEqual(expect.arrayContaining(["ssh2", "@aws-sdk/client-s3"]));
});
