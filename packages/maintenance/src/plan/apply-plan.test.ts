import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listCopies, markInUse, runDirectory, siteTrust } from "@trivault/backup";
import { backupKey, type Config, MANIFEST, newBackupId, type RetentionPolicy, TrivaultError } from "@trivault/core";
import type { Store } from "@trivault/storage";
import { type FakeClock, type FakeSite, fakeSite, idsOf, putBackup, wipe } from "../../test/fake-site.ts";
import { applyPlan, type ApplyOptions } from "./apply-plan.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { loadMarks } from "./marks.ts";
import { planSite, type SitePlan } from "./plan-site.ts";
import { readSeen, writeSeen } from "./retention-state.ts";
import { rulesOf } from "./rules-change.ts";
import { scanAll } from "../inventory/scan.ts";

let fake: FakeSite;
let clock: FakeClock;
afterEach(async () => fake[Symbol.asyncDispose]());

const shop = (backupId: string) => ({ database: "shop", backupId });
const nothing = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 2 };

function keeping(rules: Readonly<Record<string, Partial<RetentionPolicy> | null>>): (config: Config) => Config {
  return (config) => ({
    ...config,
    databases: config.databases.map((database) => ({
      ...database,
      timeZone: "UTC",
      retention: Object.fromEntries(
        database.tiers.map((tier) => [tier, rules[tier] ? { ...nothing, ...rules[tier] } : null]),
      ),
    })),
  });
}

/** A site that has known its rules for long. */
async function start(rules: Readonly<Record<string, Partial<RetentionPolicy> | null>>): Promise<void> {
  clock = { now: null };
  fake = await fakeSite({ change: keeping(rules), clock });
  const [database = null] = fake.config.databases;
  const known = { newest: newBackupId(new Date("2100-01-01")), held: null, accepted: rulesOf(database) };
  for (const { name } of fake.site.tiers)
    await writeSeen(fake.config, name, { databases: { shop: known }, refused: false });
}

const atOnce = (config: Config): Config => ({ ...config, limits: { ...config.limits, retentionGraceSeconds: 0 } });

async function put(ids: readonly string[], ...names: string[]): Promise<void> {
  const tiers = names.map((name) => fake.tier(name));
  for (const id of ids) await putBackup(tiers, fake.signingKey, shop(id));
}

async function planNow(site: MaintenanceSite = fake.site): Promise<SitePlan> {
  const { config } = site;
  const options = { signal: fake.context.signal, trust: await siteTrust(site) };
  const { inventories, unreachable } = await scanAll(site, site.tiers, options);
  const unknownTiers = unreachable.map(({ tier }) => tier);
  const marks = await loadMarks(config);
  return planSite({ config, databases: config.databases, inventories, unknownTiers, marks, now: site.now() });
}

async function apply(tier: string, changes: Partial<ApplyOptions> & { plan?: SitePlan; site?: MaintenanceSite } = {}) {
  const { plan, site = fake.site, ...options } = changes;
  const { signal, note } = fake.context;
  const how = { signal, note, byHand: false, actor: "maintenance", ...options };
  const found = site.tiers.find(({ name }) => name === tier) ?? site.tiers[0];
  return applyPlan(site, found, plan ?? (await planNow(site)), how);
}

async function idsOn(tier: string): Promise<string[]> {
  return (await listCopies(fake.tier(tier))).filter(({ complete }) => complete).map(({ backupId }) => backupId);
}

const refuse = async (): Promise<never> => {
  throw new TrivaultError("STORE_REFUSED", "remote: removing failed: permission denied", { permanent: true });
};

describe("carrying out a plan", () => {
  beforeEach(() => start({ local: { last: 2 }, remote: { last: 4 }, cloud: null }));

  test("deletes what is beyond every rule, and says in the audit log which", async () => {
    const ids = idsOf(5);
    await put(ids, "local", "remote", "cloud");
    const { deleted, bytes } = await apply("local");
    expect(deleted.map(({ backupId }) => backupId)).toEqual(ids.slice(0, 3).toReversed());
    expect(await idsOn("local")).toEqual(ids.slice(3));
    expect(await idsOn("remote")).toEqual(ids);
    expect(fake.events).toHaveLength(3);
    expect(fake.events[0]).toEqual({
      action: "backup.deleted",
      outcome: "ok",
      actor: "maintenance",
      database: "shop",
      backupId: ids[2],
      tier: "local",
      bytes: expect.any(Number),
      seconds: expect.any(Number),
      details: { rule: "beyond every rule (last 2)", byHand: false },
    });
    expect(fake.events.reduce((sum, event) => sum + (event.bytes ?? 0), 0)).toBe(bytes);
    // Nothing is left of them, not even a folder.
    expect((await readdir(path.join(fake.config.backupDir, "shop"))).toSorted()).toEqual(ids.slice(3));
    expect(await apply("local")).toEqual({ deleted: [], held: [], bytes: 0 });
  });

  test("the manifest goes first: cut short anywhere, what is left is no copy", async () => {
    const [id = "", ...ids] = idsOf(3);
    await put([id, ...ids], "local", "remote", "cloud");
    const deleted: string[] = [];
    const site = fake.with((store) => ({
      ...store,
      async delete(key, options) {
        deleted.push(key);
        if (deleted.length === 2) throw new TrivaultError("STORE_FAILED", "the disk is on fire");
        await store.delete(key, options);
      },
    }));
    expect(await apply("local", { site })).toMatchObject({
      deleted: [],
      held: [expect.stringMatching(/could not be deleted from local whole: the disk is on fire/)],
    });
    expect(deleted[0]).toBe(backupKey("shop", id, MANIFEST));
    expect(await idsOn("local")).toEqual(ids);
    expect(fake.events).toEqual([]);
  });

  test("foreign files in the folder of a backup stay", async () => {
    const ids = idsOf(3);
    await put(ids, "remote");
    await put(ids, "local", "cloud");
    const foreign = path.join(fake.config.backupDir, "shop", ids[0] ?? "", "notes.txt");
    await writeFile(foreign, "mine");
    await apply("local");
    expect(await idsOn("local")).toEqual(ids.slice(1));
    expect(await readFile(foreign, "utf8")).toBe("mine");
  });
});

describe("nothing goes on the word of a cache", () => {
  test("what another tier keeps, and has lost since it was listed", async () => {
    await start({ local: { last: 2 }, remote: null, cloud: null });
    const ids = idsOf(4);
    await put(ids, "local", "remote", "cloud");
    const plan = await planNow();
    await fake.tier("remote").store.delete(backupKey("shop", ids[0] ?? "", MANIFEST));
    const { deleted, held } = await apply("local", { plan });
    expect(deleted.map(({ backupId }) => backupId)).toEqual([ids[1]]);
    expect(held).toEqual([
      expect.stringMatching(`${ids[0]} stays on local for now: remote shall have it, and does not`),
    ]);
    expect(await idsOn("local")).toEqual([ids[0], ...ids.slice(2)]);
  });

  test("what another tier keeps that cannot be asked now", async () => {
    await start({ local: { last: 2 }, remote: null, cloud: null });
    const ids = idsOf(3);
    await put(ids, "local", "remote", "cloud");
    const plan = await planNow();
    const down = async (): Promise<never> => {
      throw new TrivaultError("STORE_UNREACHABLE", "nobody answers");
    };
    const site = fake.with((store, name) => (name === "cloud" ? { ...store, stat: down } : store));
    const { deleted, held } = await apply("local", { plan, site });
    expect(deleted).toEqual([]);
    expect(held).toEqual([expect.stringMatching(/cloud shall have it, and cannot be asked \(nobody answers\)/)]);
  });

  test("the tier itself, whose newest copies are gone", async () => {
    await start({ local: { last: 2 }, remote: { last: 2 }, cloud: { last: 2 } });
    const ids = idsOf(4);
    await put(ids, "local", "remote", "cloud");
    const plan = await planNow();
    await fake.tier("remote").store.delete(backupKey("shop", ids[2] ?? "", MANIFEST));
    const { deleted, held } = await apply("remote", { plan });
    expect(deleted).toEqual([]);
    expect(held).toEqual([expect.stringMatching(`nothing is deleted, as its copy of ${ids[2]} is gone`)]);
  });

  test("a tier that is empty or down gets what it shall have before others give it up", async () => {
    await start({ local: { last: 2 }, remote: { last: 4 }, cloud: { last: 3 } });
    const ids = idsOf(6);
    await put(ids, "local", "remote");
    expect((await apply("local")).deleted.map(({ backupId }) => backupId)).toEqual([ids[2], ids[1], ids[0]]);
    await wipe(fake.tier("remote"));
    expect(await apply("local")).toMatchObject({ deleted: [] });
    const list = (): AsyncGenerator<never> => {
      throw new TrivaultError("STORE_UNREACHABLE", "nobody answers");
    };
    const site = fake.with((store, name) => (name === "cloud" ? { ...store, list } : store));
    await put(idsOf(1, -1), "local");
    expect(await apply("local", { site })).toMatchObject({ deleted: [] });
  });
});

describe("what is in use stays", () => {
  beforeEach(() => start({ local: { last: 2 }, remote: { last: 2 }, cloud: { last: 2 } }));

  test("by a reader, until it is done or has been silent for a day", async () => {
    const ids = idsOf(4);
    await put(ids, "local");
    await put(ids.slice(2), "remote", "cloud");
    const reader = await markInUse(fake.config, shop(ids[0] ?? ""));
    const died = await markInUse(fake.config, shop(ids[1] ?? ""));
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    const folder = path.join(fake.config.backupDir, ".trivault/in-use");
    for (const name of await readdir(folder)) {
      if (name.startsWith(ids[1] ?? "")) await utimes(path.join(folder, name), yesterday, yesterday);
    }
    const { deleted, held } = await apply("local");
    expect(deleted.map(({ backupId }) => backupId)).toEqual([ids[1]]);
    expect(held).toEqual([expect.stringMatching(`${ids[0]} stays on local for now: it is being made or read`)]);
    await reader.release();
    await died.release();
    expect((await apply("local")).deleted.map(({ backupId }) => backupId)).toEqual([ids[0]]);
  });

  test("by a run that is not over", async () => {
    const ids = idsOf(3);
    await put(ids, "local");
    await put(ids.slice(1), "remote", "cloud");
    await mkdir(runDirectory(fake.config, ids[0] ?? "").path, { recursive: true });
    expect((await apply("local")).deleted).toEqual([]);
  });
});

describe("a mass deletion that nobody ordered", () => {
  const policies = { local: { last: 48 }, remote: null, cloud: null };
  const stricter = (config: Config) => atOnce(keeping({ ...policies, local: { last: 5 } })(config));
  beforeEach(() => start(policies));

  test("is held back, recorded once, and carried out by hand", async () => {
    const ids = idsOf(48);
    await put(ids, "local", "remote", "cloud");
    expect(await apply("local")).toMatchObject({ deleted: [], held: [] });
    const site = { ...fake.site, config: stricter(fake.config) };
    for (let round = 0; round < 3; round++) {
      const [newer = ""] = idsOf(1, -1 - round);
      await put([newer], "local", "remote", "cloud");
      const { deleted, held } = await apply("local", { site });
      expect(deleted).toEqual([]);
      expect(held).toEqual([
        expect.stringMatching(/of \d+ backups would go at once.*npm run backup:rotate -- .*--yes/),
      ]);
    }
    expect(fake.events).toEqual([
      expect.objectContaining({ action: "retention.held", outcome: "refused", database: "shop", tier: "local" }),
    ]);
    fake.events.length = 0;
    const { deleted } = await apply("local", { site, byHand: true, actor: "user:ada@host" });
    expect(deleted).toHaveLength(46);
    expect(fake.events[0]).toMatchObject({ action: "retention.held", outcome: "ok", actor: "user:ada@host" });
    expect(fake.events.at(-1)).toMatchObject({ actor: "user:ada@host", details: { byHand: true } });
    expect(await apply("local", { site })).toEqual({ deleted: [], held: [], bytes: 0 });
  });

  test("stays held back, however many new backups come meanwhile", async () => {
    await put(idsOf(20, 1000), "local", "remote", "cloud");
    await apply("local");
    const tighter = keeping({ ...policies, local: { last: 2, withinSeconds: 20 * 86_400 } });
    const site = { ...fake.site, config: atOnce(tighter(fake.config)) };
    for (const hours of [10, 5, 0]) {
      await put(idsOf(5, hours), "local", "remote", "cloud");
      expect(await apply("local", { site })).toMatchObject({ deleted: [], held: [expect.stringMatching(/20 of \d+/)] });
    }
  });

  test("is not what follows a day without maintenance", async () => {
    await put(idsOf(48, 24), "local", "remote", "cloud");
    await apply("local");
    await put(idsOf(24), "local", "remote", "cloud");
    const { deleted, held } = await apply("local");
    expect(deleted).toHaveLength(24);
    expect(held).toEqual([]);
  });
});

test("a store that refuses deletion is asked once a round, and recorded once", async () => {
  await start({ local: { last: 2 }, remote: { last: 2 }, cloud: { last: 2 } });
  await put(idsOf(5), "remote");
  let asked = 0;
  const appendOnly = (store: Store): Store => ({
    ...store,
    delete: () => {
      asked++;
      return refuse();
    },
  });
  const site = fake.with(appendOnly);
  await put((await idsOn("remote")).slice(3), "local", "cloud");
  for (let round = 1; round <= 3; round++) {
    const { deleted, held } = await apply("remote", { site });
    expect(deleted).toEqual([]);
    expect(held).toEqual([
      expect.stringMatching(/^remote lets nothing be deleted, so it only grows: .*permission denied/),
    ]);
    expect(asked).toBe(round);
  }
  expect(fake.events).toEqual([
    expect.objectContaining({ action: "backup.deleted", outcome: "refused", tier: "remote" }),
  ]);
  expect((await apply("remote")).deleted).toHaveLength(3);
});

describe("9.A4 rules that changed", () => {
  const HOUR_MS = 3_600_000;
  const generous = { local: { last: 17 }, remote: { last: 17 }, cloud: { last: 17 } };
  const strict = { local: { last: 12 }, remote: { last: 12 }, cloud: { last: 12 } };
  let ids: string[];
  const changed = (rules = strict): MaintenanceSite => ({ ...fake.site, config: keeping(rules)(fake.config) });
  const later = (hours: number) => (clock.now = new Date(Date.now() + hours * HOUR_MS));

  beforeEach(async () => {
    await start(generous);
    ids = idsOf(17);
    await put(ids, "local", "remote", "cloud");
  });

  test("delete nothing that the rules before keep, and say so once, with the time", async () => {
    const site = changed();
    for (let round = 0; round < 3; round++) {
      for (const tier of ["local", "remote", "cloud"]) {
        const { deleted, held } = await apply(tier, { site });
        expect(deleted).toEqual([]);
        expect(held).toEqual([
          expect.stringMatching(
            `shop on ${tier}: 5 of 17 backups would go by rules that changed.*They stay until 20.* UTC`,
          ),
        ]);
      }
    }
    expect(fake.events.map(({ action, outcome, tier }) => `${action} ${outcome} ${tier}`)).toEqual([
      "retention.held refused local",
      "retention.held refused remote",
      "retention.held refused cloud",
    ]);
    const { plans } = await planNow(site);
    const goes = plans.get("shop")?.decisions.filter(({ action, tier }) => action === "delete" && tier === "local");
    expect(goes?.map(({ backupId }) => backupId)).toEqual(ids.slice(0, 5).toReversed());
    expect(goes?.every(({ heldUntil }) => heldUntil !== undefined)).toBe(true);
  });

  test("delete after the time of grace, counted from when they were first seen", async () => {
    const site = changed();
    await apply("local", { site });
    later(23.9);
    expect((await apply("local", { site })).deleted).toEqual([]);
    later(24.1);
    expect((await apply("local", { site })).deleted).toHaveLength(5);
    expect(fake.events.at(1)).toMatchObject({ action: "retention.held", outcome: "ok" });
    expect((await readSeen(fake.config, "local")).databases["shop"]).toMatchObject({ accepted: rulesOf(dbOf(site)) });
    expect((await readSeen(fake.config, "local")).databases["shop"]?.changed).toBeUndefined();
  });

  test("delete once somebody has ordered the plan, and only on that tier", async () => {
    const site = changed();
    await apply("local", { site });
    expect((await apply("local", { site, byHand: true, actor: "user:ada@host" })).deleted).toHaveLength(5);
    expect((await apply("remote", { site })).deleted).toEqual([]);
    // What the rules order from then on is the plain course of things.
    await put(idsOf(1, -1), "local", "remote", "cloud");
    expect((await apply("local", { site })).deleted.map(({ backupId }) => backupId)).toEqual([ids[5]]);
  });

  test("leave what the rules before would delete as well to go as ever", async () => {
    await put(idsOf(2, -2), "local", "remote", "cloud");
    const { deleted, held } = await apply("local", { site: changed() });
    expect(deleted.map(({ backupId }) => backupId)).toEqual([ids[1], ids[0]]);
    expect(held).toEqual([expect.stringMatching("5 of 19 backups would go by rules that changed")]);
  });

  test("changed once more wait anew; changed back, nothing waits, and the alert ends", async () => {
    await apply("local", { site: changed() });
    later(23);
    const other = changed({ ...strict, local: { last: 10 } });
    await apply("local", { site: other });
    later(25);
    expect((await apply("local", { site: other })).deleted).toEqual([]);
    expect(await apply("local")).toMatchObject({ deleted: [], held: [] });
    expect(fake.events.at(-1)).toMatchObject({ action: "retention.held", outcome: "ok" });
  });

  test("from no rules, of a database that was not configured for a while, or for another calendar", async () => {
    const none: MaintenanceSite = { ...fake.site, config: { ...fake.config, databases: [] } };
    await apply("local", { site: none });
    later(25);
    await apply("local", { site: none });
    expect((await apply("local", { site: changed() })).deleted).toEqual([]);
    await start({ ...generous, local: null });
    await put(ids, "local", "remote", "cloud");
    expect((await apply("local", { site: changed() })).deleted).toEqual([]);
    const daily = { local: { daily: 1 }, remote: { daily: 1 }, cloud: { daily: 1 } };
    const elsewhere = keeping(daily)(fake.config);
    const databases = elsewhere.databases.map((each) => ({ ...each, timeZone: "Pacific/Auckland" }));
    expect((await apply("local", { site: { ...fake.site, config: { ...elsewhere, databases } } })).deleted).toEqual([]);
  });

  test("and were never noted, as their file was lost, hold all that would go; nothing to go is nothing to hold", async () => {
    for (const { name } of fake.site.tiers) await writeSeen(fake.config, name, { databases: {}, refused: false });
    // Nothing would go by these: so they are the rules from now on.
    await apply("remote");
    expect((await apply("remote", { site: changed() })).deleted).toEqual([]);
    expect((await readSeen(fake.config, "remote")).databases["shop"]?.accepted).toEqual(rulesOf(dbOf(fake.site)));
    const { deleted, held } = await apply("local", { site: changed() });
    expect(deleted).toEqual([]);
    expect(held).toHaveLength(1);
    later(24.1);
    expect((await apply("local", { site: changed() })).deleted).toHaveLength(5);
  });

  test("wait no longer where the clock was ahead when the change was seen", async () => {
    clock.now = new Date("2040-01-01");
    await apply("local", { site: changed() });
    clock.now = null;
    await apply("local", { site: changed() });
    later(24.1);
    expect((await apply("local", { site: changed() })).deleted).toHaveLength(5);
  });
});

function dbOf({ config }: MaintenanceSite) {
  return config.databases[0] ?? null;
}
