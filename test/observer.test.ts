import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type AuditLog, auditFolder, openAuditLog } from "@trivault/audit";
import { type Config, silentLogger } from "@trivault/core";
import { createObserver, type Observer, type ObserverDeps, openObserver, type Overview } from "@trivault/monitor";
import { openTiers, type Tier } from "@trivault/storage";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { addBackup, type AddedBackup } from "./support/add-backup.ts";
import { type LargeSite, makeLargeSite } from "./support/large-site.ts";

let dir: TempDir;
let site: LargeSite;
let audit: AuditLog;
const opened: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = await makeTempDir("observer");
  site = await makeLargeSite(dir.path, { databases: 4, backups: 400, failing: 2 });
  audit = openAuditLog(auditFolder(site.config.backupDir));
});
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
  await audit.close();
  await dir.remove();
});

function observe(change: Partial<ObserverDeps> = {}): Observer {
  const tiers = openTiers(site.config.tiers);
  const deps = { config: site.config, tiers, audit, now: () => new Date(), log: silentLogger(), ...change };
  const observer = createObserver(deps);
  opened.push(
    () => observer.close(),
    ...tiers.map(
      ({ store }) =>
        () =>
          store.close(),
    ),
  );
  return observer;
}

const stripOf = ({ databases }: Overview, name: string) => databases.find((row) => row.name === name)?.strip ?? [];
const added = (database: string): AddedBackup => ({
  backupDir: site.config.backupDir,
  tiers: site.config.tiers.map(({ name }) => name),
  database,
  bytes: 1e6,
});

test("shows the whole site, and of each of its parts", async () => {
  const observer = observe();
  const overview = await observer.overview();
  const states = ["db000", "db001", "db002", "db003"].map((name) =>
    stripOf(overview, name)
      .slice(-7)
      .map(({ state }) => state),
  );
  const six = (state: string) => ["ok", ...Array.from({ length: 6 }, () => state)];
  expect(states).toEqual([six("incomplete"), six("failed"), six("ok"), six("ok")]);
  expect(overview.databases).toMatchObject([
    { runs: 100, runsOk: 94 },
    { runs: 100, runsOk: 94 },
    { runs: 100, runsOk: 100 },
    { runs: 100, runsOk: 100 },
  ]);
  expect(overview.health).toMatchObject({ ok: false, localBackups: 394, syncStatus: "failed" });
  expect(overview.health.databases.map(({ ok }) => ok)).toEqual([false, false, true, true]);
  expect(overview.tiers).toMatchObject([
    { name: "local", costPerMonth: null },
    { name: "remote", fullAt: expect.stringMatching(/^20/) },
    { name: "cloud", bytesPerDay: expect.any(Number), costPerMonth: expect.any(Number) },
  ]);

  const [page, failing] = [await observer.database("db002"), await observer.database("db001")];
  expect(page).toMatchObject({ at: overview.at, successRate: 1, missed: [], restores: [], recoveryTimeSeconds: null });
  expect(page?.recoveryPointSeconds).toBeGreaterThanOrEqual(3600);
  expect(page?.recoveryPointSeconds).toBeLessThan(2 * 3600);
  expect(failing?.recoveryPointSeconds).toBeGreaterThan(6 * 3600);
  expect(failing?.runs.at(-1)?.problem?.message).toContain("password authentication failed");
  expect(page?.retention).toHaveLength(100);
  expect(page?.retention[0]?.tiers).toMatchObject(
    ["local", "remote", "cloud"].map((tier) => ({
      tier,
      state: "complete",
      action: "keep",
      reasons: expect.arrayContaining([expect.stringContaining("hourly")]),
    })),
  );

  const [newest = ""] = site.backups.get("db000")?.slice(-1) ?? [];
  expect(await observer.run(newest)).toMatchObject({
    backupId: newest,
    state: "incomplete",
    problem: { code: "STORE_REFUSED" },
  });
  const tier = await observer.tier("cloud");
  expect(tier).toMatchObject({ health: { complete: 388 }, costs: [{ storageClass: "STANDARD" }] });
  expect(tier?.samples.length).toBeGreaterThan(300);
  expect(tier?.databases.map(({ backups }) => backups).toSorted()).toEqual([100, 100, 94, 94]);
  expect(JSON.parse(JSON.stringify([overview, page, tier]))).toEqual([overview, page, tier]);
});

test("restores, verifications and missed slots are shown", async () => {
  const [backupId = ""] = site.backups.get("db002") ?? [];
  const about = { actor: "user:ann@host", database: "db002", backupId } as const;
  await audit.record({
    action: "backup.restored",
    outcome: "ok",
    ...about,
    seconds: 42,
    bytes: 7,
    details: { target: "h/d" },
  });
  await audit.record({
    action: "backup.restored",
    outcome: "refused",
    ...about,
    error: { code: "UNTRUSTED", message: "no" },
  });
  await audit.record({
    action: "backup.verified",
    outcome: "failed",
    ...about,
    tier: "cloud",
    error: { code: "DAMAGED", message: "bad" },
  });
  await audit.record({
    action: "schedule.missed",
    outcome: "failed",
    actor: "schedule",
    database: "db002",
    details: { missed: 3 },
  });
  const observer = observe();
  expect(await observer.database("db002")).toMatchObject({
    recoveryTimeSeconds: 42,
    restores: [
      { outcome: "refused", problem: "no" },
      { outcome: "ok", seconds: 42, target: "h/d" },
    ],
    missed: [{ slots: 3 }],
  });
  expect((await observer.tier("cloud"))?.verifications).toMatchObject([{ backupId, good: false, problem: "bad" }]);
});

test("what another process records is seen by itself, in a thread as in this one", async () => {
  const inThread = openObserver(site.config, silentLogger());
  opened.push(() => inThread.close());
  const observers = [observe(), inThread];
  for (const observer of observers) expect(stripOf(await observer.overview(), "db003")).toHaveLength(30);
  const script = path.resolve(import.meta.dirname, "support/add-backup.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(added("db003"))]);
  for (const observer of observers) {
    const seen = Promise.withResolvers<Overview>();
    const ended = new AbortController();
    const check = (overview: Overview) => {
      if (stripOf(overview, "db003").at(-1)?.backupId === stdout) seen.resolve(overview);
    };
    observer.onLook(check, ended.signal);
    check(await observer.overview());
    const overview = await seen.promise;
    ended.abort();
    expect(stripOf(overview, "db003").at(-1)).toMatchObject({ state: "ok", bytes: 1e6 });
    expect(overview.health.databases[3]?.tiers.map(({ newestBackupId }) => newestBackupId)).toEqual([
      stdout,
      stdout,
      stdout,
    ]);
  }
});

const never = () => new Promise<never>(() => undefined);
/** A tier that takes every call and ends none. */
function hanging({ name, kind, store }: Tier): Tier {
  // eslint-disable-next-line require-yield
  const list = async function* (): AsyncGenerator<never> {
    await never();
  };
  return { name, kind, store: { ...store, capacity: never, stat: never, list } };
}

/** As if maintenance had stopped hours ago. */
async function makeStale({ backupDir }: Config, tier: string): Promise<void> {
  const file = path.join(backupDir, ".trivault/inventory", `${tier}.json`);
  const inventory = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...inventory, scannedAt: new Date(Date.now() - 7_200_000) }));
}

test("a tier that hangs holds up nothing: it is shown as it was known, and the others go on", async () => {
  await makeStale(site.config, "cloud");
  const tiers = openTiers(site.config.tiers).map((tier) => (tier.name === "cloud" ? hanging(tier) : tier));
  const observer = observe({ tiers });
  expect((await observer.overview()).health.tiers).toMatchObject([
    { complete: 394 },
    { complete: 394 },
    { complete: 388 },
  ]);
  const backupId = await addBackup(added("db002"));
  await observer.refresh();
  expect(stripOf(await observer.overview(), "db002").at(-1)).toMatchObject({ backupId, state: "ok" });
});

test("tiers are asked where nobody maintains them, and what is gone is found out", async () => {
  await makeStale(site.config, "remote");
  const observer = observe();
  // On a busy machine the scan may take longer than a look waits for it.
  while ((await observer.overview()).health.tiers[1]?.complete !== 0) await observer.refresh();
  const { health } = await observer.overview();
  expect(health.tiers).toMatchObject([{ complete: 394 }, { name: "remote", complete: 0 }, { complete: 388 }]);
  expect(health.databases[3]).toMatchObject({ ok: false, problem: "db003 has no copy on remote" });
});

test("a look that does not end keeps nobody from the last one's answers", async () => {
  let ends = true;
  const reader: AuditLog["reader"] = (since) => {
    const reading = audit.reader(since);
    return {
      ...reading,
      async *read() {
        if (!ends) await never();
        yield* reading.read();
      },
    };
  };
  const observer = observe({ audit: { ...audit, reader } });
  const { at } = await observer.overview();
  ends = false;
  const looking = observer.refresh();
  for (let times = 0; times < 3; times += 1) expect((await observer.overview()).at).toBe(at);
  expect(await observer.database("db002")).toMatchObject({ at, successRate: 1 });
  expect(await Promise.race([looking.then(() => "looked"), Promise.resolve("looking")])).toBe("looking");
  looking.catch(() => undefined);
});
