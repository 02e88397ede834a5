import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { siteTrust } from "@trivault/backup";
import { directoryOf } from "@trivault/core";
import { type FakeClock, type FakeSite, fakeSite, idsOf, putBackup } from "../../test/fake-site.ts";
import { acknowledgeGone } from "./acknowledge.ts";
import { discardBackups, planDiscard } from "../plan/discard.ts";
import { knownDatabases, noteRestored } from "@trivault/site";
import { backupHealth } from "../health/health.ts";
import { describeHealth } from "../health/summary.ts";
import { keepDiscovery } from "./keep-discovery.ts";
import { markKept } from "../plan/marks.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";
import { scanAll } from "../inventory/scan.ts";

let fake: FakeSite;
let clock: FakeClock;
/** What the server would say; null: it does not answer. */
let held: { name: string; oid: number }[] | null;
const list = async () => {
  if (held === null) throw new Error("the server is away");
  return held;
};
const fresh = { fresh: true, list };
const names = (...all: string[]) => all.map((name, index) => ({ name, oid: 16_384 + index + name.length }));

beforeEach(async () => {
  clock = { now: null };
  await start(["*"]);
});
afterEach(async () => fake[Symbol.asyncDispose]());

async function start(include: string[]): Promise<void> {
  fake = await fakeSite({
    clock,
    change: (config) => {
      const [{ name: _name, url: _url, ...common } = never()] = config.databases;
      const url = "postgresql://nobody@127.0.0.1:1/postgres";
      return { ...config, databases: [], servers: [{ ...common, name: "main", url, include, exclude: [] }] };
    },
  });
  held = names("crm", "blog", "wiki");
}

function never(): never {
  throw new Error("no database");
}

async function backedUp(database: string, count = 2): Promise<string[]> {
  const ids = idsOf(count);
  for (const backupId of ids) await putBackup(fake.site.tiers, fake.signingKey, { database, backupId });
  return ids;
}

async function health(only?: string) {
  const { databases, ...news } = await knownDatabases(fake.config, fresh);
  const audit = { async *query() {} };
  const { signal } = fake.context;
  const { config, tiers, now } = fake.site;
  return backupHealth({ config, tiers, now, databases, news, only, audit, signal, fresh: true });
}

const actions = () => fake.events.map(({ action, database }) => `${action} ${database}`);
const gone = async () => (await knownDatabases(fake.config, fresh)).gone.map(({ name }) => name);

describe("9.A3 a discovered database that disappears", () => {
  test("is an event once, and makes the site unhealthy until somebody has taken note", async () => {
    for (const name of ["main.crm", "main.blog", "main.wiki"]) await backedUp(name);
    await keepDiscovery(fake.site, fresh);
    expect((await health()).ok).toBe(true);
    held = names("crm", "wiki");
    const before = await health();
    expect(before).toMatchObject({
      ok: false,
      orphans: [{ name: "main.blog", reason: "gone", server: "main", backups: 2, acknowledged: null }],
    });
    expect(describeHealth(before)).toMatch(
      /^2 of 3 databases are safe .*; main\.blog is gone from its server main since .* UTC, and 2 backups of it are there$/,
    );
    for (let round = 0; round < 3; round++) await keepDiscovery(fake.site, fresh);
    expect(actions()).toEqual(["database.vanished main.blog"]);
    const who = { actor: "user:ada@host", reason: "moved" };
    await acknowledgeGone(fake.site, "main.blog", who, fresh);
    await keepDiscovery(fake.site, fresh);
    expect(await health()).toMatchObject({
      ok: true,
      orphans: [
        { name: "main.blog", reason: "gone", backups: 2, acknowledged: { by: "user:ada@host", reason: "moved" } },
      ],
    });
    expect(actions()).toEqual(["database.vanished main.blog", "database.acknowledged main.blog"]);
  });

  test("asked for alone is unhealthy until somebody has taken note; so is a site of which all is gone", async () => {
    for (const name of ["main.crm", "main.blog", "main.wiki"]) await backedUp(name, 1);
    await keepDiscovery(fake.site, fresh);
    held = [];
    expect(await health("main.blog")).toMatchObject({ ok: false, databases: [] });
    await acknowledgeGone(fake.site, "main.blog", { actor: "user:ada@host" }, fresh);
    const noted = await health("main.blog");
    expect(noted.ok).toBe(true);
    expect(describeHealth(noted)).toBe(
      "main.blog is gone from its server main, as user:ada@host took note; 1 backup of it is there",
    );
    expect((await health()).ok).toBe(false);
    for (const name of ["main.crm", "main.wiki"]) await acknowledgeGone(fake.site, name, { actor: "a" }, fresh);
    expect((await health()).ok).toBe(true);
    // Nothing is known about a server that never answered.
    await rm(path.join(fake.config.backupDir, ".trivault/discovered.json"));
    held = null;
    expect((await health()).ok).toBe(false);
  });

  test("is noticed by whoever replaces what the server said before, and recorded by maintenance", async () => {
    await knownDatabases(fake.config, fresh);
    held = names("crm", "wiki");
    // A look at the dashboard, say.
    expect(await gone()).toEqual(["main.blog"]);
    expect(fake.events).toEqual([]);
    await keepDiscovery(fake.site, fresh);
    expect(actions()).toEqual(["database.vanished main.blog"]);
  });

  test("is noticed by its backups where nothing else remembers it", async () => {
    await backedUp("main.blog");
    held = names("crm", "wiki");
    await knownDatabases(fake.config, fresh);
    expect(await health()).toMatchObject({ ok: false, orphans: [{ name: "main.blog", reason: "gone", since: null }] });
    await scanAll(fake.site, fake.site.tiers, { signal: fake.context.signal, trust: await siteTrust(fake.site) });
    await keepDiscovery(fake.site, fresh);
    expect(actions()).toEqual(["database.vanished main.blog"]);
  });

  test("that comes back is backed up again; gone once more, it is reported once more, whoever acknowledged it before", async () => {
    await knownDatabases(fake.config, fresh);
    held = names("crm", "wiki");
    await keepDiscovery(fake.site, fresh);
    await acknowledgeGone(fake.site, "main.blog", { actor: "a" }, fresh);
    held = names("crm", "blog", "wiki");
    expect(await gone()).toEqual([]);
    held = names("crm", "wiki");
    expect((await health()).ok).toBe(false);
    held = names("crm", "blog", "wiki");
    await keepDiscovery(fake.site, fresh);
    await keepDiscovery(fake.site, fresh);
    expect(actions()).toEqual(["database.vanished main.blog", "database.acknowledged main.blog"]);
    held = names("crm");
    await keepDiscovery(fake.site, fresh);
    held = names("crm", "blog", "wiki");
    await keepDiscovery(fake.site, fresh);
    expect(actions().slice(2)).toEqual([
      "database.vanished main.blog",
      "database.vanished main.wiki",
      "database.returned main.blog",
      "database.returned main.wiki",
    ]);
  });

  test("is not one whose server is away, that the patterns leave out, or that was only heard of by an older answer", async () => {
    await backedUp("main.blog");
    await knownDatabases(fake.config, fresh);
    held = null;
    expect(await health()).toMatchObject({ orphans: [] });
    expect((await knownDatabases(fake.config, fresh)).databases).toHaveLength(3);
    await rm(path.join(fake.config.backupDir, ".trivault/discovered.json"));
    expect(await health()).toMatchObject({ orphans: [] });
    held = names("crm", "wiki");
    const [server = never()] = fake.config.servers;
    const without = { ...fake.config, servers: [{ ...server, exclude: ["blog"] }] };
    await keepDiscovery({ ...fake.site, config: without }, fresh);
    expect((await knownDatabases(without, fresh)).gone).toEqual([]);
    expect(fake.events).toEqual([]);
  });

  test("keeps its backups, whatever the rules say", async () => {
    const ids = await backedUp("main.blog", 5);
    const [server = never()] = fake.config.servers;
    const one = { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinSeconds: null, atLeast: 1 };
    const servers = [{ ...server, retention: { local: one, remote: one, cloud: one } }];
    const limits = { ...fake.config.limits, retentionGraceSeconds: 0 };
    const site = { ...fake.site, config: { ...fake.config, servers, limits } };
    await knownDatabases(site.config, fresh);
    held = names("crm");
    await knownDatabases(site.config, fresh);
    expect(await maintainTier(site, "remote", fake.context)).toMatchObject({
      deleted: 0,
      found: { complete: ids.length },
    });
  });

  test("cannot be acknowledged while it is there", async () => {
    await knownDatabases(fake.config, fresh);
    const acknowledged = acknowledgeGone(fake.site, "main.blog", { actor: "a" }, fresh);
    await expect(acknowledged).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/No database is gone/),
    });
  });
});

describe("9.A3 a database that Trivault restored into", () => {
  const [crm2 = never()] = names("crm2");
  const note = { ...crm2, source: "main.crm", backupId: "20261123t020000z-7f3k9xq2", at: new Date().toISOString() };
  const found = async (of = fake.config) => (await knownDatabases(of, fresh)).databases.map(({ name }) => name);

  test("is left out, and is said to be, until it is included by its name", async () => {
    await noteRestored(fake.config, note);
    held = [...names("crm"), crm2];
    expect(await found()).toEqual(["main.crm"]);
    await backedUp("main.crm");
    expect(await health()).toMatchObject({
      ok: true,
      orphans: [{ name: "main.crm2", reason: "restored-into", backups: 0 }],
    });
    // It goes as it came.
    held = names("crm");
    expect(await gone()).toEqual([]);
    held = [...names("crm"), crm2];
    const [server = never()] = fake.config.servers;
    expect(await found({ ...fake.config, servers: [{ ...server, include: ["*", "crm2"] }] })).toEqual([
      "main.crm",
      "main.crm2",
    ]);
  });

  test("is not one of the same name that was made anew, nor one that came back under its own name", async () => {
    await noteRestored(fake.config, note);
    held = [{ ...crm2, oid: 99 }];
    expect(await found()).toEqual(["main.crm2"]);
    await noteRestored(fake.config, { ...note, ...(names("crm")[0] ?? never()) });
    held = names("crm");
    expect(await found()).toEqual(["main.crm"]);
  });

  test("leaves no trace on a machine that only reads", async () => {
    const bare = { backupDir: path.join(fake.config.backupDir, "bare") };
    await mkdir(bare.backupDir);
    await noteRestored(bare, note);
    expect(await readdir(bare.backupDir)).toEqual([]);
  });
});

describe("9.A3 discarding the backups of an orphan", () => {
  const { signal, note } = { signal: AbortSignal.timeout(60_000), note: () => undefined };
  const discard = async (database: string) => {
    const plan = await planDiscard(fake.site, database, signal, fresh);
    return discardBackups(fake.site, plan, "user:ada@host", { signal, note });
  };
  const left = async (database: string) => {
    const plan = await planDiscard(fake.site, database, signal, fresh).catch(() => null);
    return plan?.copies.length ?? 0;
  };

  test("shows what goes, deletes it from all tiers, records it, and the row is gone", async () => {
    const ids = await backedUp("main.blog");
    await backedUp("main.crm");
    await knownDatabases(fake.config, fresh);
    held = names("crm", "wiki");
    const plan = await planDiscard(fake.site, "main.blog", signal, fresh);
    expect(plan.copies).toHaveLength(6);
    expect(await left("main.blog")).toBe(6);
    const { deleted, complete } = await discard("main.blog");
    expect([deleted.length, complete]).toEqual([6, true]);
    expect(new Set(deleted.map(({ backupId }) => backupId))).toEqual(new Set(ids));
    expect(fake.events.filter(({ action }) => action === "backup.deleted")).toHaveLength(6);
    expect(fake.events.at(-1)).toMatchObject({ action: "database.discarded", outcome: "ok", actor: "user:ada@host" });
    expect(await health()).toMatchObject({ orphans: [] });
    for (const { store } of fake.site.tiers) {
      const keys = (await Array.fromAsync(store.list(""))).map(({ key }) => String(key));
      expect(keys.some((key) => key.startsWith(`${directoryOf("main.blog")}/`))).toBe(false);
      expect(keys.some((key) => key.startsWith(`${directoryOf("main.crm")}/`))).toBe(true);
    }
  });

  test("is refused of one that is configured, or whose server cannot be asked", async () => {
    await backedUp("main.blog");
    await knownDatabases(fake.config, fresh);
    await expect(discard("main.blog")).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringMatching(/is configured/),
    });
    held = null;
    await expect(discard("main.blog")).rejects.toMatchObject({ code: "INPUT_INVALID" });
    await rm(path.join(fake.config.backupDir, ".trivault/discovered.json"));
    await expect(discard("main.blog")).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be asked whether it holds/),
    });
    await expect(discard("other")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(fake.events).toEqual([]);
  });

  test("leaves what is kept by hand, and what lies on a tier that does not answer", async () => {
    const [first = "", second = ""] = await backedUp("old");
    const mark = { reason: "lawsuit", actor: "user:ada@host", at: new Date() };
    await markKept(fake.config, { database: "old", backupId: first }, mark);
    const silent = (): AsyncGenerator<never> => {
      throw new Error("nobody answers");
    };
    const site = fake.with((store, name) => (name === "cloud" ? { ...store, list: silent } : store));
    const plan = await planDiscard(site, "old", signal, fresh);
    expect(new Set(plan.copies.map(({ backupId, tier }) => `${backupId} ${tier}`))).toEqual(
      new Set([`${second} local`, `${second} remote`]),
    );
    expect(plan.stays.map(({ why }) => why)).toEqual(["kept by hand: lawsuit", "kept by hand: lawsuit"]);
    expect(await discardBackups(site, plan, "a", { signal, note })).toMatchObject({ complete: false });
    expect(fake.events.at(-1)).toMatchObject({ action: "database.discarded", outcome: "failed" });
  });
});

test("9.B15 what servers said is written whole, however many threads of a process write it at once", async () => {
  let turn = 0;
  const other = async () => names(`db${turn++}`);
  const found = await Promise.all(
    Array.from({ length: 20 }, () => knownDatabases(fake.config, { fresh: true, list: other })),
  );
  expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  const left = await readdir(path.join(fake.config.backupDir, ".trivault"));
  expect(left.filter((name) => name.startsWith("discovered"))).toEqual(["discovered.json"]);
});

test("a cache that is damaged counts as none", async () => {
  await knownDatabases(fake.config, fresh);
  await writeFile(path.join(fake.config.backupDir, ".trivault/discovered.json"), "{ damaged");
  expect((await knownDatabases(fake.config, { list })).databases).toHaveLength(3);
});
