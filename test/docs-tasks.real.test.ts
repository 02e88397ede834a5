import { copyFile, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { digestDatabase, parseDatabaseUrl } from "@trivault/postgres";
import {
  type Ceph,
  createSampleDatabase,
  freePort,
  makeTempDir,
  type PostgresServer,
  sharedCeph,
  type Sshd,
  startPostgres,
  startSshd,
} from "@trivault/testkit";
import { backupIds, type Machine, openMachine } from "./support/docs-machine.ts";

const IDENTITY = "trivault-identity.txt";

/** Each page of docs/tasks, followed to the letter on a machine with a fresh clone; see support/docs-page.ts. */
const stack = new AsyncDisposableStack();
const bucket = `docs-${process.pid}-${Date.now()}`;
let folder: string;
let source: PostgresServer;
let newHost: PostgresServer;
let server: Sshd;
let s3: Ceph;
/** The one that makes backups, as set-up.md leaves it. */
let machine: Machine;

beforeAll(async () => {
  folder = stack.use(await makeTempDir("tv-docs")).path;
  [source, newHost, server, s3] = await Promise.all([startPostgres(), startPostgres(), startSshd(), sharedCeph()]);
  for (const part of [source, newHost, server, s3]) stack.use(part);
  await createSampleDatabase(await source.createDatabase("shop"), { megabytes: 2 });
  await s3.createBucket(bucket);
  machine = await newMachine("main");
  await machine.follow("docs/tasks/set-up.md");
}, 120_000);
afterAll(() => stack.disposeAsync(), 60_000);

async function newMachine(name: string): Promise<Machine> {
  const home = path.join(folder, name);
  await mkdir(home);
  return stack.use(
    await openMachine({
      folder: home,
      databaseUrl: source.url,
      real: () => realValues(home),
      env: {
        BACKUP_API_PORT: String(await freePort()),
        BACKUP_S3_ENDPOINT: s3.endpoint,
        npm_config_update_notifier: "false",
      },
      answers: { "--target -": newHost.urlOf("shop_asked_for") },
    }),
  );
}

/** What the pages say, and what it is here. */
async function realValues(home: string): Promise<Record<string, string>> {
  const backups = path.join(home, "srv/backups");
  const newest = await backupIds(path.join(folder, "main/srv/backups"), "shop");
  return {
    "db.example.org:5432": `${source.host}:${source.port}`,
    "postgres:secret@new-host:5432": `${newHost.user}:${newHost.password}@${newHost.host}:${newHost.port}`,
    "new-host:5432": `${newHost.host}:${newHost.port}`,
    "sudo ": "",
    "BACKUP_REMOTE_DIR=/srv/backups": `BACKUP_REMOTE_DIR=${server.directory}`,
    "/srv/backups": backups,
    "backup.example.org:22": `${server.host}:${server.port}`,
    "BACKUP_SSH_USER=trivault": `BACKUP_SSH_USER=${server.user}`,
    "~/.ssh/trivault": server.keyFile,
    "=age1…": `=${await recipientIn(path.join(home, "trivault", IDENTITY))}`,
    "SHA256:…": server.fingerprint,
    "acme-backups": bucket,
    "AWS_ACCESS_KEY_ID=…": `AWS_ACCESS_KEY_ID=${s3.accessKey}`,
    "AWS_SECRET_ACCESS_KEY=…": `AWS_SECRET_ACCESS_KEY=${s3.secretKey}`,
    "20261123t020000z-7f3k9xq2": newest.at(-1) ?? "none yet",
  };
}

async function recipientIn(identityFile: string): Promise<string> {
  const text = await readFile(identityFile, "utf8").catch(() => "");
  return /age1[0-9a-z]+/.exec(text)?.[0] ?? "none yet";
}

function tables(postgres: PostgresServer, database: string) {
  return digestDatabase(parseDatabaseUrl(postgres.urlOf(database)));
}

test("set-up: three complete copies", async () => {
  const { stdout } = await machine.sh("npm run --silent backup:list -- --json");
  expect(JSON.parse(stdout)).toMatchObject({
    unreachable: [],
    backups: expect.arrayContaining([
      expect.objectContaining({
        copies: ["local", "remote", "cloud"].map((tier) => expect.objectContaining({ tier, complete: true })),
      }),
    ]),
  });
});

test("restore: every row is there, on a machine that has nothing but the identity file", async () => {
  const elsewhere = await newMachine("elsewhere");
  await copyFile(path.join(machine.folder, IDENTITY), path.join(elsewhere.folder, IDENTITY));
  await elsewhere.follow("docs/tasks/restore.md");
  const rows = await tables(source, "shop");
  expect(await tables(newHost, "shop_restored")).toEqual(rows);
  expect(await tables(newHost, "shop_asked_for")).toEqual(rows);
});
