import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { noteDamage, noteDoubt } from "@trivault/backup";
import { backupKey, type CopyState, MANIFEST } from "@trivault/core";
import { bytesSource, type Tier } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup } from "../../test/fake-site.ts";
import { listSite } from "./list-site.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";

let fake: FakeSite;
beforeEach(async () => void (fake = await fakeSite()));
afterEach(async () => fake[Symbol.asyncDispose]());

const shop = (backupId: string) => ({ database: "shop", backupId });
const JUNK = "20990101t000000z-00000000";

async function putJunk({ store }: Tier, id = JUNK): Promise<void> {
  await store.put(backupKey("shop", id, MANIFEST), bytesSource(Buffer.from(`{"manifest":{"id":"${id}"}}`)));
}

/** State by tier. */
async function states(id: string, site = fake.site): Promise<Record<string, CopyState>> {
  const { backups } = await listSite(site, { signal: fake.context.signal });
  const copies = backups.find((backup) => backup.id === id)?.copies ?? [];
  for (const { complete, state } of copies) expect(complete).toBe(state === "complete");
  return Object.fromEntries(copies.map(({ tier, state }) => [tier, state]));
}

describe("9.A5 a copy that was only listed", () => {
  test.each(["before any scan", "after one"])("is no backup because it has a manifest, %s", async (when) => {
    const [id = ""] = idsOf(1);
    await putBackup(fake.site.tiers, fake.signingKey, shop(id));
    if (when === "after one") for (const { name } of fake.site.tiers) await maintainTier(fake.site, name, fake.context);
    await putJunk(fake.tier("local"));
    if (when !== "after one") await putJunk(fake.tier("cloud"));
    expect(await states(id)).toEqual({ local: "complete", remote: "complete", cloud: "complete" });
    expect(await states(JUNK)).toEqual({ local: "untrusted", ...(when !== "after one" && { cloud: "untrusted" }) });
  });

  test("is unknown where its manifest cannot be read, and bad where a reader found that", async () => {
    const [rotten = "", doubted = "", silent = ""] = idsOf(3);
    for (const id of [rotten, doubted, silent]) await putBackup([fake.tier("local")], fake.signingKey, shop(id));
    await maintainTier(fake.site, "local", fake.context);
    const broken = fake.with((store) => ({
      ...store,
      get(key, options) {
        if (key.includes(silent)) throw new Error("EIO");
        return store.get(key, options);
      },
    }));
    await noteDamage(fake.config, "local", shop(rotten), "data-000001.zst");
    const doubt = { problem: "data-000001.zst: EIO", files: ["data-000001.zst"], seen: null };
    await noteDoubt(fake.config, "local", shop(doubted), doubt);
    expect(await states(silent, broken)).toEqual({ local: "complete" }); // as it was when it was read
    expect([await states(rotten), await states(doubted)]).toEqual([{ local: "damaged" }, { local: "unknown" }]);
    const [fresh = ""] = idsOf(1, 0);
    await putBackup([fake.tier("local")], fake.signingKey, shop(fresh));
    const unread = fake.with((store) => ({
      ...store,
      get() {
        throw new Error("EIO");
      },
    }));
    expect(await states(fresh, unread)).toEqual({ local: "unknown" });
  });

  test("and lies on a tier that does not answer hides none of the others", async () => {
    const [id = ""] = idsOf(1);
    await putBackup(fake.site.tiers, fake.signingKey, shop(id));
    const site = fake.with((store, name) => {
      if (name !== "cloud") return store;
      const list = (): AsyncGenerator<never> => {
        throw new Error("nobody answers");
      };
      return { ...store, list };
    });
    const { backups, unreachable } = await listSite(site, { signal: fake.context.signal, fresh: true });
    expect(backups[0]?.copies.map(({ tier }) => tier)).toEqual(["local", "remote"]);
    expect(unreachable).toEqual([{ tier: "cloud", reason: "nobody answers" }]);
  });
});
