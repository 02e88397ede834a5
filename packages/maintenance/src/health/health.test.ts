import { stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type AuditLog, auditFolder, openAuditLog } from "@trivault/audit";
import { noteDamage } from "@trivault/backup";
import type { Config, DatabaseConfig } from "@trivault/core";
import { localStore } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, wipe } from "../../test/fake-site.ts";
import { describeHealth } from "./summary.ts";
import { backupHealth, type HealthDeps } from "./health.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";

let fake: FakeSite;
let audit: AuditLog;
beforeEach(async () => {
  fake = await fakeSite();
  audit = openAuditLog(auditFolder(fake.config.backupDir));
});
afterEach(async () => {
  await audit.close();
  await fake[Symbol.asyncDispose]();
});

const HOURLY = { cron: "0 * * * *", timeZone: "UTC" };
const shop = (backupId: string) => ({ database: "shop", backupId });

function databaseNamed(name: string, change: Partial<DatabaseConfig> = {}): DatabaseConfig {
  const [only] = fake.config.databases;
  if (only === undefined) throw new Error("the fixture has a database");
  return { ...only, name, schedule: HOURLY, ...change };
}

function health(change: Partial<HealthDeps> = {}) {
  const { config, now } = fake.site;
  const databases = [databaseNamed("shop")];
  return backupHealth({
    config,
    now,
    databases,
    tiers: fake.site.tiers,
    audit,
    signal: fake.context.signal,
    ...change,
  });
}

async function maintainAll(): Promise<void> {
  for (const { name } of fake.site.tiers) await maintainTier(fake.site, name, fake.context);
}

test("a healthy site, in the issue's own fields and beside them", async () => {
  const ids = idsOf(3);
  for (const id of ids) await putBackup(fake.site.tiers, fake.signingKey, shop(id));
  await maintainAll();
  await audit.record({ action: "backup.copy", outcome: "ok", actor: "schedule", ...shop(ids[2] ?? ""), tier: "cloud" });
  await audit.record({ action: "backup.dump", outcome: "ok", actor: "schedule", ...shop(ids[2] ?? "") });
  const report = await health();
  expect(report).toEqual({
    orphans: [],
    localBackups: 3,
    remoteBackups: 3,
    cloudBackups: 3,
    lastSyncTime: expect.stringMatching(/^20.*Z$/),
    syncStatus: "success",
    diskUsage: {
      local: expect.stringMatching(/^[\d.]+ [KMGT]iB \(\d+% of [\d.]+ [GT]iB\)$/),
      remote: expect.stringMatching(/^[\d.]+ KiB$/),
      cloud: expect.stringMatching(/^[\d.]+ KiB$/),
    },
    ok: true,
    databases: [
      {
        name: "shop",
        ok: true,
        objectiveSeconds: 7200,
        nextRun: expect.stringMatching(/^20.*Z$/),
        lastRun: { outcome: "ok", at: expect.stringMatching(/^20.*Z$/) },
        tiers: ["local", "remote", "cloud"].map((tier) => ({
          tier,
          ok: true,
          newestBackupId: ids[2],
          ageSeconds: expect.any(Number),
          backups: 3,
          bytes: expect.any(Number),
          lacking: 0,
          unknown: 0,
        })),
        problem: null,
      },
    ],
    tiers: fake.site.tiers.map(({ name, kind }) =>
      expect.objectContaining({ name, kind, reachable: true, complete: 3, damaged: 0, untrusted: 0, partial: 0 }),
    ),
  });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(describeHealth(report)).toBe("shop is safe on local, remote, cloud");
});

describe("an objective", () => {
  test.each([
    ["hourly", { schedule: HOURLY }, 7200],
    ["daily", { schedule: { cron: "0 2 * * *", timeZone: "UTC" } }, 26 * 3600],
    ["daily, where a day may have 25 hours", { schedule: { cron: "0 2 * * *", timeZone: "Europe/Paris" } }, 27 * 3600],
    ["every five minutes", { schedule: { cron: "*/5 * * * *", timeZone: "UTC" } }, 600],
    ["as configured", { objectiveSeconds: 60 }, 60],
    ["none without a schedule", { schedule: null }, null],
  ])("%s", async (_, change, expected) => {
    expect((await health({ databases: [databaseNamed("shop", change)] })).databases[0]?.objectiveSeconds).toBe(
      expected,
    );
  });

  test("is missed by what is too old, or nowhere; met, without a schedule, by any backup", async () => {
    const [old = ""] = idsOf(1, 30);
    await putBackup(fake.site.tiers, fake.signingKey, shop(old));
    await putBackup([fake.tier("local")], fake.signingKey, { database: "billing", backupId: old });
    const databases = [
      databaseNamed("shop"),
      databaseNamed("shop", { schedule: null }),
      databaseNamed("billing", { schedule: null }),
      databaseNamed("new", {}),
    ];
    const report = await health({ databases });
    expect(report.ok).toBe(false);
    expect(report.databases.map(({ ok }) => ok)).toEqual([false, true, false, false]);
    const since = new RegExp(`^shop has no newer copy on local and remote and cloud than that of 20`);
    expect(report.databases[0]?.problem).toMatch(since);
    expect(report.databases[2]?.problem).toBe("billing has no copy on remote and cloud");
    expect(report.databases[3]?.problem).toBe("new has no backup");
    expect(describeHealth(report)).toMatch(
      /^1 of 4 databases are safe on local, remote, cloud; shop has no newer copy/,
    );
  });

  test("is not met by copies that are damaged, untrusted, or dated in the future", async () => {
    const [id = "", future = ""] = [...idsOf(1, 1), ...idsOf(1, -48)];
    await using stranger = await fakeSite();
    await putBackup([fake.tier("local")], fake.signingKey, shop(id));
    await putBackup([fake.tier("remote")], stranger.signingKey, shop(id));
    await putBackup([fake.tier("cloud")], fake.signingKey, shop(future));
    expect((await health()).databases[0]?.tiers.map(({ ok }) => ok)).toEqual([true, false, false]);
    await noteDamage(fake.config, "local", shop(id), "rotten");
    expect((await health()).databases[0]?.tiers.map(({ ok }) => ok)).toEqual([false, false, false]);
  });

  test("of no database at all is not met", async () => {
    const report = await health({ databases: [] });
    expect(report.ok).toBe(false);
    expect(describeHealth(report)).toMatch(/^No database is configured here/);
  });
});

describe("syncStatus", () => {
  const event = (backupId: string, outcome: "ok" | "failed") =>
    audit.record({ action: "backup.copy", outcome, actor: "schedule", ...shop(backupId), tier: "remote" });

  test("pending while a wanted copy is lacking, failed once it could not be made, success when all is there", async () => {
    const [id = ""] = idsOf(1);
    await putBackup([fake.tier("local"), fake.tier("cloud")], fake.signingKey, shop(id));
    expect((await health({ fresh: true })).syncStatus).toBe("pending");
    await event(id, "failed");
    expect(await health()).toMatchObject({ syncStatus: "failed", databases: [{ tiers: [{}, { lacking: 1 }, {}] }] });
    await event(id, "ok");
    expect((await health()).syncStatus).toBe("pending");
    await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
    expect((await health({ fresh: true })).syncStatus).toBe("success");
  });

  test("failed while a tier cannot be reached; what it held last is shown", async () => {
    const [id = ""] = idsOf(1);
    await putBackup(fake.site.tiers, fake.signingKey, shop(id));
    await maintainAll();
    const site = fake.with((store, name) => ({
      ...store,
      list(...args) {
        if (name === "remote") throw new Error("no route to host");
        return store.list(...args);
      },
    }));
    await maintainTier(site, "remote", fake.context);
    for (const report of [await health(), await health({ tiers: site.tiers, fresh: true })]) {
      expect(report).toMatchObject({ syncStatus: "failed", ok: true, remoteBackups: 1 });
      expect(report.tiers[1]).toMatchObject({ reachable: false, problem: "no route to host", complete: 1 });
      expect(report.databases[0]?.tiers[1]).toMatchObject({ lacking: null, ok: true });
      expect(describeHealth(report)).toMatch(/; remote cannot be reached since 20/);
    }
  });
});

test("copies that came since the last scan count at once; tiers are asked when nobody maintains", async () => {
  await maintainAll();
  const ids = idsOf(2);
  for (const id of ids) await putBackup([fake.tier("local")], fake.signingKey, shop(id));
  expect((await health()).localBackups).toBe(0);
  await maintainAll();
  await fake.work();
  expect(await health()).toMatchObject({ localBackups: 2, remoteBackups: 2, cloudBackups: 2 });
  await wipe(fake.tier("remote"));
  expect((await health()).remoteBackups).toBe(2);
  const later = new Date(Date.now() + 31 * 60_000);
  expect((await health({ now: () => later })).remoteBackups).toBe(0);
});

test("several tiers of one kind: distinct backups, and each one's disk by its name", async () => {
  const second = { ...fake.config.tiers[1], name: "other" } as Config["tiers"][number];
  const config = { ...fake.config, tiers: [...fake.config.tiers, second] };
  const tiers = [...fake.site.tiers, { ...fake.tier("remote"), name: "other" }];
  const [id = ""] = idsOf(1);
  await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
  const report = await health({ config, tiers });
  expect(report.remoteBackups).toBe(1);
  expect(report.diskUsage.remote).toMatch(/^remote: .+; other: .+$/);
  const local = { ...config, tiers: config.tiers.slice(0, 1) };
  expect((await health({ config: local, tiers: tiers.slice(0, 1) })).diskUsage).toMatchObject({
    remote: "none",
    cloud: "none",
  });
});

test("nothing is made where there is no site", async () => {
  const backupDir = path.join(fake.config.backupDir, "nowhere");
  const config = { ...fake.config, backupDir };
  const tiers = [{ ...fake.tier("local"), store: localStore({ directory: backupDir }) }];
  expect(await health({ config, tiers })).toMatchObject({ ok: false });
  await expect(stat(backupDir)).rejects.toThrow("ENOENT");
});
