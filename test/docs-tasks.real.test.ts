import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
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
  until,
} from "@trivault/testkit";
import { backupIds, type Machine, openMachine } from "./support/docs-machine.ts";
import { npmOnce } from "./support/npm-once.ts";

// Some thirty programs one after the other, and up to three minutes of waiting for maintenance.
jest.setTimeout(600_000);

/** Each page of docs/tasks, followed to the letter on a machine with a fresh clone; see support/docs-page.ts. */
const stack = new AsyncDisposableStack();
const IDENTITY = "trivault-identity.txt";
const bucket = `docs-${process.pid}-${Date.now()}`;
let folder: string;
let npm: string;
let source: PostgresServer;
let newHost: PostgresServer;
let server: Sshd;
let s3: Ceph;
/** The one that makes backups, as set-up.md leaves it; its service runs. */
let machine: Machine;
let settings: string;

beforeAll(async () => {
  folder = stack.use(await makeTempDir("tv-docs")).path;
  npm = await npmOnce(path.join(folder, "npm"));
  [source, newHost, server, s3] = await Promise.all([startPostgres(), startPostgres(), startSshd(), sharedCeph()]);
  for (const part of [source, newHost, server, s3]) stack.use(part);
  await createSampleDatabase(await source.createDatabase("shop"), { megabytes: 2 });
  for (const name of ["billing", "crm", "crm_test"]) await source.createDatabase(name);
  await s3.createBucket(bucket);
  machine = await newMachine("main");
  await machine.follow("docs/tasks/set-up.md");
  settings = await readFile(path.join(machine.folder, ".env"), "utf8");
});
afterAll(() => stack.disposeAsync());

async function newMachine(name: string, env: Record<string, string> = {}): Promise<Machine> {
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
        BACKUP_MAINTENANCE_EVERY: "1d", // beside the one at each start, so that what a page does is not done meanwhile
        npm_config_update_notifier: "false",
        ...env,
      },
      programs: { npm, scp: remotely("scp", server), ssh: remotely("ssh", server) },
      answers: { "--target -": newHost.urlOf("shop_asked_for") },
    }),
  );
}

/** The program as the pages call it: whatever host they name is the test's server. */
function remotely(program: "scp" | "ssh", { host, port, user, keyFile, knownHostsFile }: Sshd): string {
  const options = { HostName: host, Port: port, User: user, IdentityFile: keyFile, UserKnownHostsFile: knownHostsFile };
  const given = Object.entries(options).map(([name, value]) => `-o ${name}=${value}`);
  return `PATH=${process.env["PATH"]} exec ${program} -q -F none ${given.join(" ")} "$@"`;
}

/** What the pages say, and what it is here. */
async function realValues(home: string): Promise<Record<string, string>> {
  const main = path.join(folder, "main");
  const newest = (await backupIds(path.join(main, "srv/backups"), "shop")).at(-1);
  const old = "old-host:";
  return {
    "db.example.org:5432": `${source.host}:${source.port}`,
    "postgres:secret@new-host:5432": `${newHost.user}:${newHost.password}@${newHost.host}:${newHost.port}`,
    "PGHOST=new-host PGPORT=5432 PGUSER=postgres PGPASSWORD=secret": `PGHOST=${newHost.host} PGPORT=${newHost.port} PGUSER=${newHost.user} PGPASSWORD=${newHost.password}`,
    "new-host:5432": `${newHost.host}:${newHost.port}`,
    "sudo ": "",
    "/srv/backups": path.join(home, "srv/backups"),
    "backup.example.org:22": `${server.host}:${server.port}`,
    "new-backup.example.org:22": `${server.host}:${server.port}`,
    "BACKUP_SSH_USER=trivault": `BACKUP_SSH_USER=${server.user}`,
    "~/.ssh/trivault": server.keyFile,
    "SHA256:…": server.fingerprint,
    "BACKUP_REMOTE_DIR=/srv/backups": `BACKUP_REMOTE_DIR=${server.directory}/backups`,
    "BACKUP_REMOTE_DIR=/srv/new-backups": `BACKUP_REMOTE_DIR=${server.directory}/new-backups`,
    "acme-backups": bucket,
    "AWS_ACCESS_KEY_ID=…": `AWS_ACCESS_KEY_ID=${s3.accessKey}`,
    "AWS_SECRET_ACCESS_KEY=…": `AWS_SECRET_ACCESS_KEY=${s3.secretKey}`,
    "=age1…": `=${await recipientIn(path.join(home, IDENTITY))}`,
    "=age1new…,age1…": `=${await recipientIn(path.join(home, "new-identity.txt"))},${await recipientIn(path.join(home, IDENTITY))}`,
    "20261123t020000z-7f3k9xq2": newest ?? "none yet",
    [`${old}/opt/trivault`]: `${old}${main}/trivault`,
    [`${old}.ssh/trivault ~/.ssh/trivault`]: `${old}${server.keyFile} ${home}/key`,
    "ssh old-host tar -cC /srv/backups": `ssh old-host tar -cC ${main}/srv/backups`,
  };
}

async function recipientIn(identityFile: string): Promise<string> {
  const text = await readFile(identityFile, "utf8").catch(() => "");
  return /age1[0-9a-z]+/.exec(text)?.[0] ?? "none yet";
}

/** As set-up.md leaves it: what another page changed is undone. A service that runs takes up all but a changed `.env` itself. */
async function asSetUp(): Promise<Machine> {
  const file = path.join(machine.folder, ".env");
  await rm(path.join(machine.folder, "trivault.config.yaml"), { force: true });
  if ((await readFile(file, "utf8")) === settings) return machine;
  await writeFile(file, settings, { mode: 0o600 });
  await machine.start();
  return machine;
}

function tables(postgres: PostgresServer, database: string) {
  return digestDatabase(parseDatabaseUrl(postgres.urlOf(database)));
}

interface Listed {
  readonly id: string;
  readonly copies: readonly { readonly tier: string; readonly complete: boolean }[];
}

async function listed(on: Machine, database: string): Promise<Listed[]> {
  const { stdout } = await on.trivault(`list --json --database ${database}`);
  return (JSON.parse(stdout) as { backups: Listed[] }).backups;
}

/** The backups of a database that lie complete on all three tiers. */
async function safe(on: Machine, database: string): Promise<string[]> {
  const backups = await listed(on, database);
  return backups
    .filter(({ copies }) => copies.filter(({ complete }) => complete).length === 3)
    .map(({ id }) => id)
    .toSorted();
}

async function incomplete(on: Machine, database: string): Promise<string[]> {
  const whole = new Set(await safe(on, database));
  return (await listed(on, database)).map(({ id }) => id).filter((id) => !whole.has(id));
}

/** Waits until it is so; copies that are brought by maintenance take a minute or more. To ask is to list three tiers. */
async function eventually(on: Machine, isSo: () => Promise<boolean>): Promise<void> {
  const look = async () => (await isSo()) || (await sleep(500, false));
  await until(look, { seconds: 200, describe: () => on.lastOutput() });
}

test("set-up: three complete copies, and health is content", async () => {
  expect(await safe(machine, "shop")).not.toEqual([]);
  expect((await machine.trivault("health")).code).toBe(0);
});

test("restore: every row is there, on a machine that has nothing but the identity file", async () => {
  const elsewhere = await newMachine("elsewhere");
  await copyFile(path.join(folder, "main", IDENTITY), path.join(folder, "elsewhere", IDENTITY));
  await elsewhere.follow("docs/tasks/restore.md");
  const rows = await tables(source, "shop");
  expect(await tables(newHost, "shop_restored")).toEqual(rows);
  expect(await tables(newHost, "shop_asked_for")).toEqual(rows);
});

test("add a database: it is backed up, and so is one that was discovered", async () => {
  const here = await asSetUp();
  await here.follow("docs/tasks/add-a-database.md");
  expect(await safe(here, "billing")).not.toEqual([]);
  await eventually(here, async () => (await safe(here, "main.crm")).length > 0);
  expect(await safe(here, "main.crm_test")).toEqual([]);
});

test("read health: the exit code shows it", async () => {
  const here = await asSetUp();
  await here.follow("docs/tasks/read-health.md");
  expect((await here.trivault("health --fresh")).code).toBe(0);
  const lost = await here.sh(`BACKUP_REMOTE_DIR=${server.directory}/nothing npm run --silent backup:health -- --fresh`);
  expect(lost).toMatchObject({ code: 1, stdout: expect.stringMatching(/^shop is not safe.* no copy on remote/) });
});

test("rotate: what was announced is what happens, and what is marked stays", async () => {
  const here = await asSetUp();
  // Accepts the rules while nothing would go by them, as maintenance does in the first quarter of an hour. Otherwise all that
  // they delete is held (rules-change.ts), unless a round happened to fall between two of the pages before.
  expect((await here.trivault("rotate --yes")).code).toBe(0);
  // More than stay in any case: the newest five, the newest of each hour if a new one begins meanwhile, and the marked one.
  // One after the other, as a request joins one that waits.
  for (let made = 0; made < 7; made++) expect((await here.trivault("run --wait")).code).toBe(0);
  const [marked] = await safe(here, "shop");
  expect((await here.trivault(`keep add ${marked} --database shop --reason test`)).code).toBe(0);
  // The page changes trivault.config.yaml, and a service that takes that up begins with a round of maintenance of its own.
  await here.stop();
  const printed = await here.follow("docs/tasks/rotate.md");
  // With those that wait, as the rules changed: the page's own command orders them too. Maintenance may have taken the rest.
  const dryRuns = printed.filter((output) => output.includes("rotate --dry-run"));
  const announced = [...(dryRuns.at(-1) ?? "").matchAll(/^(\S+) +shop .* would delete\b/gm)].map(([, id = ""]) => id);
  const local = await backupIds(path.join(folder, "main/srv/backups"), "shop");
  expect(announced).not.toEqual([]);
  expect(local.filter((id) => announced.includes(id))).toEqual([]);
  expect(local).toContain(marked);
  // Keys: what is made with the settings that the page left opens with either identity.
  expect((await here.trivault("run --database shop --inline")).code).toBe(0);
  const [newest] = (await safe(here, "shop")).toReversed();
  const { stdout } = await here.trivault(`show ${newest}`);
  for (const file of [IDENTITY, "new-identity.txt"]) {
    expect(stdout).toContain(await recipientIn(path.join(folder, "main", file)));
  }
});

test("move: the database is the same, and each place fills again", async () => {
  const here = await asSetUp();
  await here.follow("docs/tasks/move-to-a-new-server.md", "The database moves");
  expect(await tables(newHost, "shop")).toEqual(await tables(source, "shop"));

  await here.stop();
  // Everything is wanted everywhere, so that "full again" is exact; maintenance comes every minute instead of fifteen.
  const env = {
    BACKUP_DIR: path.join(folder, "moved/srv/backups"),
    BACKUP_RETENTION: "off",
    BACKUP_MAINTENANCE_EVERY: "1m",
  };
  const moved = await newMachine("moved", env);
  await moved.follow("docs/tasks/move-to-a-new-server.md", "Trivault moves to another machine");
  const disks = [path.join(folder, "moved/srv/backups"), path.join(server.directory, "backups")];
  const isFull = async () => {
    const [local = [], remote] = await Promise.all(disks.map((disk) => backupIds(disk, "shop")));
    return local.length > 0 && local.join() === remote?.join() && (await incomplete(moved, "shop")).length === 0;
  };
  await eventually(moved, isFull);

  await moved.follow("docs/tasks/move-to-a-new-server.md", "The backup server, or the bucket, is replaced");
  expect(await incomplete(moved, "shop")).toEqual([]);
  expect(await backupIds(path.join(server.directory, "new-backups"), "shop")).toEqual(await safe(moved, "shop"));
});
