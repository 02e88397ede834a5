import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { markInUse, runDirectory } from "@trivault/backup";
import { backupKey, type Config, MANIFEST, TrivaultError } from "@trivault/core";
import type { Store } from "@trivault/storage";
import { type FakeSite, idsOf, wipe } from "../../test/fake-site.ts";
import { apply, atOnce, idsOn, keeping, planNow, put, type Rules, shop, siteWithRules } from "../../test/planning.ts";

let fake: FakeSite;
const start = async (rules: Rules) => void ({ fake } = await siteWithRules(rules));
afterEach(async () => fake[Symbol.asyncDispose]());

const refuse = async (): Promise<never> => {
  throw new TrivaultError("STORE_REFUSED", "remote: removing failed: permission denied", { permanent: true });
};

describe("carrying out a plan", () => {
  beforeEach(() => start({ local: { last: 2 }, remote: { last: 4 }, cloud: null }));

  test("deletes what is beyond every rule, and says in the audit log which", async () => {
    const ids = idsOf(5);
    await put(fake, ids, "local", "remote", "cloud");
    const { deleted, bytes } = await apply(fake, "local");
    expect(deleted.map(({ backupId }) => backupId)).toEqual(ids.slice(0, 3).toReversed());
    expect(await idsOn(fake, "local")).toEqual(ids.slice(3));
    expect(await idsOn(fake, "remote")).toEqual(ids);
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
    expect(await apply(fake, "local")).toEqual({ deleted: [], held: [], bytes: 0 });
  });

  test("the manifest goes first: cut short anywhere, what is left is no copy", async () => {
    const [id = "", ...ids] = idsOf(3);
    await put(fake, [id, ...ids], "local", "remote", "cloud");
    const deleted: string[] = [];
    const site = fake.with((store) => ({
      ...store,
      async delete(key, options) {
        deleted.push(key);
        if (deleted.length === 2) throw new TrivaultError("STORE_FAILED", "the disk is on fire");
        await store.delete(key, options);
      },
    }));
    expect(await apply(fake, "local", { site })).toMatchObject({
      deleted: [],
      held: [expect.stringMatching(/could not be deleted from local whole: the disk is on fire/)],
    });
    expect(deleted[0]).toBe(backupKey("shop", id, MANIFEST));
    expect(await idsOn(fake, "local")).toEqual(ids);
    expect(fake.events).toEqual([]);
  });

  test("foreign files in the folder of a backup stay", async () => {
    const ids = idsOf(3);
    await put(fake, ids, "remote");
    await put(fake, ids, "local", "cloud");
    const foreign = path.join(fake.config.backupDir, "shop", ids[0] ?? "", "notes.txt");
    await writeFile(foreign, "mine");
    await apply(fake, "local");
    expect(await idsOn(fake, "local")).toEqual(ids.slice(1));
    expect(await readFile(foreign, "utf8")).toBe("mine");
  });
});

describe("nothing goes on the word of a cache", () => {
  test("what another tier keeps, and has lost since it was listed", async () => {
    await start({ local: { last: 2 }, remote: null, cloud: null });
    const ids = idsOf(4);
    await put(fake, ids, "local", "remote", "cloud");
    const plan = await planNow(fake);
    await fake.tier("remote").store.delete(backupKey("shop", ids[0] ?? "", MANIFEST));
    const { deleted, held } = await apply(fake, "local", { plan });
    expect(deleted.map(({ backupId }) => backupId)).toEqual([ids[1]]);
    expect(held).toEqual([
      expect.stringMatching(`${ids[0]} stays on local for now: remote shall have it, and does not`),
    ]);
    expect(await idsOn(fake, "local")).toEqual([ids[0], ...ids.slice(2)]);
  });

  test("what another tier keeps that cannot be asked now", async () => {
    await start({ local: { last: 2 }, remote: null, cloud: null });
    const ids = idsOf(3);
    await put(fake, ids, "local", "remote", "cloud");
    const plan = await planNow(fake);
    const down = async (): Promise<never> => {
      throw new TrivaultError("STORE_UNREACHABLE", "nobody answers");
    };
    const site = fake.with((store, name) => (name === "cloud" ? { ...store, stat: down } : store));
    const { deleted, held } = await apply(fake, "local", { plan, site });
    expect(deleted).toEqual([]);
    expect(held).toEqual([expect.stringMatching(/cloud shall have it, and cannot be asked \(nobody answers\)/)]);
  });

  test("the tier itself, whose newest copies are gone", async () => {
    await start({ local: { last: 2 }, remote: { last: 2 }, cloud: { last: 2 } });
    const ids = idsOf(4);
    await put(fake, ids, "local", "remote", "cloud");
    const plan = await planNow(fake);
    await fake.tier("remote").store.delete(backupKey("shop", ids[2] ?? "", MANIFEST));
    const { deleted, held } = await apply(fake, "remote", { plan });
    expect(deleted).toEqual([]);
    expect(held).toEqual([expect.stringMatching(`nothing is deleted, as its copy of ${ids[2]} is gone`)]);
  });

  test("a tier that is empty or down gets what it shall have before others give it up", async () => {
    await start({ local: { last: 2 }, remote: { last: 4 }, cloud: { last: 3 } });
    const ids = idsOf(6);
    await put(fake, ids, "local", "remote");
    expect((await apply(fake, "local")).deleted.map(({ backupId }) => backupId)).toEqual([ids[2], ids[1], ids[0]]);
    await wipe(fake.tier("remote"));
    expect(await apply(fake, "local")).toMatchObject({ deleted: [] });
    const list = (): AsyncGenerator<never> => {
      throw new TrivaultError("STORE_UNREACHABLE", "nobody answers");
    };
    const site = fake.with((store, name) => (name === "cloud" ? { ...store, list } : store));
    await put(fake, idsOf(1, -1), "local");
    expect(await apply(fake, "local", { site })).toMatchObject({ deleted: [] });
  });
});

describe("what is in use stays", () => {
  beforeEach(() => start({ local: { last: 2 }, remote: { last: 2 }, cloud: { last: 2 } }));

  test("by a reader, until it is done or has been silent for a day", async () => {
    const ids = idsOf(4);
    await put(fake, ids, "local");
    await put(fake, ids.slice(2), "remote", "cloud");
    const reader = await markInUse(fake.config, shop(ids[0] ?? ""));
    const died = await markInUse(fake.config, shop(ids[1] ?? ""));
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    const folder = path.join(fake.config.backupDir, ".trivault/in-use");
    for (const name of await readdir(folder)) {
      if (name.startsWith(ids[1] ?? "")) await utimes(path.join(folder, name), yesterday, yesterday);
    }
    const { deleted, held } = await apply(fake, "local");
    expect(deleted.map(({ backupId }) => backupId)).toEqual([ids[1]]);
    expect(held).toEqual([expect.stringMatching(`${ids[0]} stays on local for now: it is being made or read`)]);
    await reader.release();
    await died.release();
    expect((await apply(fake, "local")).deleted.map(({ backupId }) => backupId)).toEqual([ids[0]]);
  });

  test("by a run that is not over", async () => {
    const ids = idsOf(3);
    await put(fake, ids, "local");
    await put(fake, ids.slice(1), "remote", "cloud");
    await mkdir(runDirectory(fake.config, ids[0] ?? "").path, { recursive: true });
    expect((await apply(fake, "local")).deleted).toEqual([]);
  });
});

describe("a mass deletion that nobody ordered", () => {
  const policies = { local: { last: 48 }, remote: null, cloud: null };
  const stricter = (config: Config) => atOnce(keeping({ ...policies, local: { last: 5 } })(config));
  beforeEach(() => start(policies));

  test("is held back, recorded once, and carried out by hand", async () => {
    const ids = idsOf(48);
    await put(fake, ids, "local", "remote", "cloud");
    expect(await apply(fake, "local")).toMatchObject({ deleted: [], held: [] });
    const site = { ...fake.site, config: stricter(fake.config) };
    for (let round = 0; round < 3; round++) {
      const [newer = ""] = idsOf(1, -1 - round);
      await put(fake, [newer], "local", "remote", "cloud");
      const { deleted, held } = await apply(fake, "local", { site });
      expect(deleted).toEqual([]);
      expect(held).toEqual([
        expect.stringMatching(/of \d+ backups would go at once.*npm run backup:rotate -- .*--yes/),
      ]);
    }
    expect(fake.events).toEqual([
      expect.objectContaining({ action: "retention.held", outcome: "refused", database: "shop", tier: "local" }),
    ]);
    fake.events.length = 0;
    const { deleted } = await apply(fake, "local", { site, byHand: true, actor: "user:ada@host" });
    expect(deleted).toHaveLength(46);
    expect(fake.events[0]).toMatchObject({ action: "retention.held", outcome: "ok", actor: "user:ada@host" });
    expect(fake.events.at(-1)).toMatchObject({ actor: "user:ada@host", details: { byHand: true } });
    expect(await apply(fake, "local", { site })).toEqual({ deleted: [], held: [], bytes: 0 });
  });

  test("stays held back, however many new backups come meanwhile", async () => {
    await put(fake, idsOf(20, 1000), "local", "remote", "cloud");
    await apply(fake, "local");
    const tighter = keeping({ ...policies, local: { last: 2, withinSeconds: 20 * 86_400 } });
    const site = { ...fake.site, config: atOnce(tighter(fake.config)) };
    for (const hours of [10, 5, 0]) {
      await put(fake, idsOf(5, hours), "local", "remote", "cloud");
      expect(await apply(fake, "local", { site })).toMatchObject({
        deleted: [],
        held: [expect.stringMatching(/20 of \d+/)],
      });
    }
  });

  test("is not what follows a day without maintenance", async () => {
    await put(fake, idsOf(48, 24), "local", "remote", "cloud");
    await apply(fake, "local");
    await put(fake, idsOf(24), "local", "remote", "cloud");
    const { deleted, held } = await apply(fake, "local");
    expect(deleted).toHaveLength(24);
    expect(held).toEqual([]);
  });
});

test("a store that refuses deletion is asked once a round, and recorded once", async () => {
  await start({ local: { last: 2 }, remote: { last: 2 }, cloud: { last: 2 } });
  await put(fake, idsOf(5), "remote");
  let asked = 0;
  const appendOnly = (store: Store): Store => ({
    ...store,
    delete: () => {
      asked++;
      return refuse();
    },
  });
  const site = fake.with(appendOnly);
  await put(fake, (await idsOn(fake, "remote")).slice(3), "local", "cloud");
  for (let round = 1; round <= 3; round++) {
    const { deleted, held } = await apply(fake, "remote", { site });
    expect(deleted).toEqual([]);
    expect(held).toEqual([
      expect.stringMatching(/^remote lets nothing be deleted, so it only grows: .*permission denied/),
    ]);
    expect(asked).toBe(round);
  }
  expect(fake.events).toEqual([
    expect.objectContaining({ action: "backup.deleted", outcome: "refused", tier: "remote" }),
  ]);
  expect((await apply(fake, "remote")).deleted).toHaveLength(3);
});
