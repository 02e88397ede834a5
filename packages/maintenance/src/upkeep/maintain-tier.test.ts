import { truncate } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { listCopies, noteDamage, noteDeletion } from "@trivault/backup";
import { backupKey, MANIFEST, TrivaultError } from "@trivault/core";
import { type FakeClock, type FakeSite, fakeSite, idsOf, putBackup, spoil, wipe } from "../../test/fake-site.ts";
import { ALL, maintain, maintainAll, putEverywhere, shop, wholeOn } from "../../test/rounds.ts";
import { maintainTier } from "./maintain-tier.ts";

let fake: FakeSite;
let clock: FakeClock;
beforeEach(async () => {
  clock = { now: null };
  fake = await fakeSite({ clock });
});
afterEach(async () => fake[Symbol.asyncDispose]());

describe("healing", () => {
  test.each(ALL)("%s, wiped by hand, is full again from the others", async (name) => {
    const ids = idsOf(4);
    await putEverywhere(fake, ids);
    await maintainAll(fake);
    expect(fake.started).toEqual([]);
    await wipe(fake.tier(name));
    const result = await maintain(fake, name);
    expect(result).toMatchObject({ lost: 4, copiesStarted: 4, found: { complete: 0 } });
    const from = name === "local" ? "remote" : "local";
    expect(fake.started).toEqual(
      ids.toReversed().map((backupId) => ({ stage: "copy", ...shop(backupId), from, to: name })),
    );
    await fake.work();
    expect(await wholeOn(fake, name)).toEqual(ids);
    expect(fake.events).toEqual([
      expect.objectContaining({
        action: "tier.vanished",
        tier: name,
        database: "shop",
        details: expect.objectContaining({ copies: 4 }),
      }),
    ]);
    expect(await maintain(fake, name)).toMatchObject({ lost: 0, copiesStarted: 0 });
  });

  test("what only the cloud holds any more comes back to both others", async () => {
    const ids = idsOf(2);
    for (const id of ids) await putBackup([fake.tier("cloud")], fake.signingKey, shop(id));
    await maintainAll(fake);
    await maintainAll(fake);
    await fake.work();
    for (const name of ALL) expect(await wholeOn(fake, name)).toEqual(ids);
  });

  test.each([
    [
      "a segment that was cut off",
      (id: string) => spoil(fake.tier("remote"), shop(id), "data-000002.zst", Buffer.from("x")),
    ],
    [
      "a segment that is missing",
      (id: string) => fake.tier("remote").store.delete(backupKey("shop", id, "details.zst")),
    ],
    ["a manifest that rotted", (id: string) => spoil(fake.tier("remote"), shop(id), MANIFEST, Buffer.from("{"))],
    [
      "a segment of the right size that a reader found to be wrong",
      async (id: string) => {
        const file = "data-000001.zst";
        const bytes = Buffer.from(`${file} of ${id} `.repeat(20)).fill("?", 0, 1);
        await spoil(fake.tier("remote"), shop(id), file, bytes);
        await noteDamage(fake.config, "remote", shop(id), `${file} is wrong`);
      },
    ],
  ])("%s is made good from another tier", async (_, damage) => {
    const ids = idsOf(3);
    await putEverywhere(fake, ids);
    await maintainAll(fake);
    await damage(ids[1] ?? "");
    expect(await maintain(fake, "remote")).toMatchObject({ repairsStarted: 1, copiesStarted: 1, lost: 1 });
    expect(fake.events.at(-1)?.action).not.toBe("tier.repaired");
    await fake.work();
    expect(fake.events.at(-1)).toMatchObject({ action: "tier.repaired", outcome: "ok", backupId: ids[1] });
    expect(fake.events.filter(({ action }) => action === "tier.shrunk")).toHaveLength(1);
    expect(await wholeOn(fake, "remote")).toEqual(ids);
    expect(await maintain(fake, "remote")).toMatchObject({ repairsStarted: 0, found: { complete: 3, damaged: 0 } });
  });

  test("a damaged copy that is whole nowhere else keeps its manifest", async () => {
    const [id = ""] = idsOf(1);
    await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
    await fake.tier("remote").store.delete(backupKey("shop", id, "details.zst"));
    expect(await maintain(fake, "remote")).toMatchObject({ repairsStarted: 0, found: { damaged: 1 } });
    expect(await fake.tier("remote").store.stat(backupKey("shop", id, MANIFEST))).not.toBeNull();
  });

  test.each([
    // One that is silent is not asked again for each copy.
    ["does not answer", 1, () => Promise.reject(new TrivaultError("STORE_UNREACHABLE", "no route to host"))],
    ["no longer has it", 2, async () => null],
  ])("a damaged copy stays as it is while the tier that it would be made from %s", async (_, times, answer) => {
    const ids = idsOf(2);
    await putEverywhere(fake, ids);
    await maintainAll(fake);
    for (const id of ids) await noteDamage(fake.config, "local", shop(id), "data-000001.zst is wrong");
    let asked = 0;
    const site = fake.with((store, name) => {
      const asks = () => (asked++, answer());
      return name === "local" ? store : { ...store, stat: asks };
    });
    expect(await maintain(fake, "local", site)).toMatchObject({
      repairsStarted: 0,
      copiesStarted: 0,
      found: { damaged: 2 },
    });
    for (const id of ids) expect(await fake.tier("local").store.stat(backupKey("shop", id, MANIFEST))).not.toBeNull();
    expect(fake.notes.filter((note) => note.includes("could not be repaired"))).toHaveLength(2);
    expect(asked).toBe(times);
    expect(await maintain(fake, "local")).toMatchObject({ repairsStarted: 2 });
    await fake.work();
    expect(await wholeOn(fake, "local")).toEqual(ids);
  });

  test("no more is brought back than a disk has room for beside the next backup", async () => {
    const ids = idsOf(3);
    for (const id of ids) await putBackup([fake.tier("local")], fake.signingKey, shop(id));
    await maintain(fake, "local");
    const [{ bytes } = { bytes: 0 }] = await listCopies(fake.tier("local"));
    const roomFor = async (free: number) => {
      const site = fake.with((store) => ({ ...store, capacity: async () => ({ free, total: 1e9 }) }));
      return (await maintain(fake, "remote", site)).copiesStarted;
    };
    expect([await roomFor(0), await roomFor(2.6 * bytes), await roomFor(1e6)]).toEqual([0, 2, 3]);
    expect(fake.started[0]).toMatchObject({ backupId: ids[2] });
  });

  test("at most 200 copies are started in a round, the newest first", async () => {
    const change: Parameters<typeof fakeSite>[0] = {
      change: (config) => ({ ...config, databases: config.databases.map((each) => ({ ...each, retention: {} })) }),
    };
    await using own = await fakeSite(change);
    const ids = idsOf(230);
    for (const id of ids) await putBackup([own.tier("remote")], own.signingKey, shop(id));
    await maintainTier(own.site, "remote", own.context);
    expect(await maintainTier(own.site, "cloud", own.context)).toMatchObject({ copiesStarted: 200 });
    expect(own.started[0]).toMatchObject({ backupId: ids.at(-1) });
  });
});

describe("what is recorded", () => {
  test("a tier that is down: once, and once when it is back; the others are served", async () => {
    const ids = idsOf(2);
    for (const id of ids) await putBackup([fake.tier("local")], fake.signingKey, shop(id));
    const site = fake.with((store, name) => ({
      ...store,
      list(...args) {
        if (name === "remote") throw new TrivaultError("STORE_UNREACHABLE", "no route to host");
        return store.list(...args);
      },
    }));
    for (const tier of [...ALL, ...ALL]) await maintain(fake, tier, site);
    expect(await maintain(fake, "remote", site)).toMatchObject({ reachable: false, problem: "no route to host" });
    const down = { action: "tier.unreachable", tier: "remote", error: { code: "STORE_UNREACHABLE" } };
    expect(fake.events).toMatchObject([down]);
    await fake.work();
    expect(await wholeOn(fake, "cloud")).toEqual(ids);
    expect(await maintain(fake, "remote")).toMatchObject({ reachable: true, copiesStarted: 2 });
    await maintain(fake, "remote");
    expect(fake.events).toMatchObject([down, { action: "tier.reachable", tier: "remote" }]);
  });

  test("nothing, of what was deleted by us", async () => {
    const ids = idsOf(3);
    await putEverywhere(fake, ids);
    await maintainAll(fake);
    await noteDeletion(fake.config, "remote", shop(ids[0] ?? ""));
    for (const { key } of await Array.fromAsync(fake.tier("remote").store.list(`shop/${ids[0]}/`))) {
      await fake.tier("remote").store.delete(key);
    }
    await maintain(fake, "remote");
    expect(fake.events).toEqual([]);
  });
});

describe("a budget", () => {
  const withBudget = (whenFull: "warn" | "stop") =>
    fakeSite({
      change: (config) => ({
        ...config,
        tiers: config.tiers.map((tier) =>
          tier.name === "cloud" ? { ...tier, budget: { bytes: 100, whenFull } } : tier,
        ),
      }),
    });

  test.each(["warn", "stop"] as const)("that is exceeded is recorded once; %s", async (whenFull) => {
    await using own = await withBudget(whenFull);
    const [first = "", second = ""] = idsOf(2);
    await putBackup(own.site.tiers, own.signingKey, shop(first));
    await putBackup([own.tier("local")], own.signingKey, shop(second));
    for (const tier of [...ALL, ...ALL]) await maintainTier(own.site, tier, own.context);
    expect(own.events).toMatchObject([{ action: "tier.over-budget", tier: "cloud", outcome: "failed" }]);
    const toCloud = own.started.filter((next) => next.stage === "copy" && next.to === "cloud");
    expect(toCloud).toHaveLength(whenFull === "stop" ? 0 : 2);
    own.started.splice(0, own.started.length, { stage: "copy", ...shop(second), from: "local", to: "cloud" });
    if (whenFull === "warn") await own.work();
    else await expect(own.work()).rejects.toMatchObject({ code: "STORE_FULL", permanent: false });
  });
});

test("a truncated file on the local tier is seen by its size and made good", async () => {
  const ids = idsOf(2);
  await putEverywhere(fake, ids);
  await maintainAll(fake);
  await truncate(path.join(fake.config.backupDir, "shop", ids[0] ?? "", "data-000001.zst"), 3);
  expect(await maintain(fake, "local")).toMatchObject({ repairsStarted: 1 });
  await fake.work();
  expect(await wholeOn(fake, "local")).toEqual(ids);
});

test("9.B15 a tier that is reachable again is recorded once, though a later step of each round fails", async () => {
  const list = (): AsyncGenerator<never> => {
    throw new TrivaultError("STORE_UNREACHABLE", "nobody answers");
  };
  const down = fake.with((store, name) => (name === "remote" ? { ...store, list } : store));
  await maintain(fake, "remote", down);
  await putBackup([fake.tier("local")], fake.signingKey, shop(idsOf(1)[0] ?? ""));
  await maintain(fake, "local");
  const start = async () => {
    throw new Error("Redis does not answer");
  };
  for (let turn = 0; turn < 3; turn++) {
    await expect(maintainTier(fake.site, "remote", { ...fake.context, start })).rejects.toThrow("Redis");
  }
  expect(fake.events.map(({ action }) => action)).toEqual(["tier.unreachable", "tier.reachable"]);
});
