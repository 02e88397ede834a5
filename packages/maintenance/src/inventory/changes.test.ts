import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { noteDeletion, siteTrust } from "@trivault/backup";
import type { Store } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, wipe } from "../../test/fake-site.ts";
import { lookAtSite } from "../plan/look-at-site.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";
import { scanAll, scanTier } from "./scan.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

const shop = (backupId: string) => ({ database: "shop", backupId });
const maintain = (tier = "remote", site = fake.site) => maintainTier(site, tier, fake.context);
const losses = () => fake.events.filter(({ action }) => action === "tier.vanished" || action === "tier.shrunk");

async function prepare(count = 3): Promise<readonly string[]> {
  const ids = idsOf(count);
  for (const id of ids) await putBackup(fake.site.tiers, fake.signingKey, shop(id));
  for (const tier of ["local", "remote", "cloud"]) await maintain(tier);
  return ids;
}

async function scanRemote(tier = fake.tier("remote")) {
  return scanTier(fake.site, tier, { signal: fake.context.signal, trust: await siteTrust(fake.site) });
}

describe("9.A2 whoever looks at a tier takes nothing of what maintenance records:", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["a scan of it (tier:stats, tier:list, the monitor)", () => scanRemote()],
    ["a plan of the site (rotate, sync --dry-run, GET cleanup)", () => lookAtSite(fake.site, fake.context.signal)],
    [
      "a scan of all (health --fresh)",
      async () =>
        scanAll(fake.site, fake.site.tiers, { signal: fake.context.signal, trust: await siteTrust(fake.site) }),
    ],
  ])("%s", async (_, look) => {
    const ids = await prepare();
    await wipe(fake.tier("remote"));
    for (let times = 0; times < 3; times++) await look();
    expect(losses()).toEqual([]);
    expect(await maintain()).toMatchObject({ lost: 3 });
    expect(losses()).toEqual([
      expect.objectContaining({
        action: "tier.vanished",
        tier: "remote",
        database: "shop",
        details: { copies: 3, oldest: ids[0], newest: ids[2] },
      }),
    ]);
    expect(await maintain()).toMatchObject({ lost: 0 });
    expect(losses()).toHaveLength(1);
  });

  test("what went at different times, and came back in between, is all recorded", async () => {
    const [first = "", second = ""] = await prepare(2);
    const remove = async (id: string) => {
      for (const { key } of await Array.fromAsync(fake.tier("remote").store.list(`shop/${id}/`))) {
        await fake.tier("remote").store.delete(key);
      }
    };
    await remove(first);
    await scanRemote();
    await putBackup([fake.tier("remote")], fake.signingKey, shop(first));
    await scanRemote();
    await remove(second);
    await scanRemote();
    expect(await maintain()).toMatchObject({ lost: 2 });
    expect(new Set(losses().map(({ backupId }) => backupId))).toEqual(new Set([first, second]));
    expect(losses()).toHaveLength(2);
  });

  test("two who look at once: it is recorded once", async () => {
    await prepare();
    await wipe(fake.tier("remote"));
    await Promise.all([scanRemote(), scanRemote(), maintain()]);
    await maintain();
    expect(losses()).toHaveLength(1);
  });

  test("a slow look that began before does not put an old inventory in the place of a new one", async () => {
    await prepare();
    const held = Promise.withResolvers<void>();
    const through = Promise.withResolvers<void>();
    const { store } = fake.tier("remote");
    const slow: Store = {
      ...store,
      async capacity() {
        through.resolve();
        await held.promise;
        return null;
      },
    };
    const old = scanRemote({ ...fake.tier("remote"), store: slow });
    await through.promise; // it has listed what is there now
    await wipe(fake.tier("remote"));
    await maintain();
    held.resolve();
    await old;
    await maintain();
    expect(losses()).toHaveLength(1);
  });

  test("a look that cannot keep what it found replaces no inventory", async () => {
    await prepare();
    await wipe(fake.tier("remote"));
    const folder = path.join(fake.config.backupDir, ".trivault/tiers/remote/losses");
    await rm(folder, { recursive: true, force: true });
    await writeFile(folder, "in the way"); // as a full disk would be
    await scanRemote();
    await rm(folder);
    expect(await maintain()).toMatchObject({ lost: 3 });
  });

  test("whoever looks with fewer keys loses nothing, and hides no loss that follows", async () => {
    const [first = ""] = await prepare();
    const { signal } = fake.context;
    const stranger = () => scanTier(fake.site, fake.tier("remote"), { signal, trust: { trustedKeys: [] } });
    for (let times = 0; times < 2; times++) {
      expect((await stranger()).inventory.copies.every(({ state }) => state === "untrusted")).toBe(true);
    }
    for (const { key } of await Array.fromAsync(fake.tier("remote").store.list(`shop/${first}/`))) {
      await fake.tier("remote").store.delete(key);
    }
    await stranger();
    expect(await maintain()).toMatchObject({ lost: 1 });
    expect(losses()).toEqual([expect.objectContaining({ action: "tier.vanished", backupId: first })]);
  });

  test("a look that found nothing lost leaves nothing, and what we deleted is no loss", async () => {
    const [first = ""] = await prepare();
    await noteDeletion(fake.config, "remote", shop(first));
    for (const { key } of await Array.fromAsync(fake.tier("remote").store.list(`shop/${first}/`))) {
      await fake.tier("remote").store.delete(key);
    }
    await scanRemote();
    await maintain();
    expect(losses()).toEqual([]);
    expect(await readdir(path.join(fake.config.backupDir, ".trivault/tiers/remote"))).not.toContain("losses");
  });

  test("what was noticed before the tier went down is recorded while it is down", async () => {
    await prepare();
    await wipe(fake.tier("remote"));
    await scanRemote();
    const down = fake.with((store, name) => ({
      ...store,
      list: (...args) => {
        if (name === "remote") throw new Error("no route to host");
        return store.list(...args);
      },
    }));
    expect(await maintain("remote", down)).toMatchObject({ reachable: false });
    expect(losses()).toHaveLength(1);
  });
});
