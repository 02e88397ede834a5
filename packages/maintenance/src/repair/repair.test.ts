import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { copyStage, noteDamage, readNotes } from "@trivault/backup";
import { backupKey, MANIFEST } from "@trivault/core";
import type { Store } from "@trivault/storage";
import { errorOf, failing, isManifest } from "../../test/failing-tier.ts";
import { type FakeSite, fakeSite, idsOf, spoil, wipe } from "../../test/fake-site.ts";
import { isGood, keysOn, maintain, maintainAll, putEverywhere, shop } from "../../test/rounds.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { recordRepair } from "./repair.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

const actions = () => fake.events.map(({ action }) => action);

describe("9.A1 a repair", () => {
  const id = idsOf(1)[0] ?? "";
  const copy = (site: MaintenanceSite) => copyStage(site, { ...shop(id), from: "local", to: "remote" }, fake.context);

  async function damage(): Promise<void> {
    const wrong = Buffer.from(`data-000001.zst of ${id} `.repeat(20)).fill("?", 0, 1);
    await spoil(fake.tier("remote"), shop(id), "data-000001.zst", wrong);
    await fake.tier("remote").store.delete(backupKey("shop", id, "details.zst"));
    await noteDamage(fake.config, "remote", shop(id), "data-000001.zst");
  }

  /** Dies at the n-th call that changes the tier: before it, or after. */
  function dying(n: number, when: "before" | "after"): { site: MaintenanceSite; calls: () => number } {
    let calls = 0;
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      const fatal = ++calls === n;
      if (fatal && when === "before") throw new Error("killed");
      const result = await work();
      if (fatal) throw new Error("killed");
      return result;
    };
    const site = fake.with((store, name): Store => {
      if (name !== "remote") return store;
      return {
        ...store,
        put: (...args) => call(() => store.put(...args)),
        replace: (...args) => call(() => store.replace(...args)),
        delete: (...args) => call(() => store.delete(...args)),
      };
    });
    return { site, calls: () => calls };
  }

  test.each([
    ["a segment rotted, one is gone", "before", null],
    ["a segment rotted, one is gone", "after", null],
    ["its manifest is junk, too, and a stray lies there", "before", "{"],
    ["its manifest is junk, too, and a stray lies there", "after", "{"],
  ] as const)(
    "(%s) killed %s any change, and run again, converges; no good object ever goes",
    async (_, when, junk) => {
      await putEverywhere(fake, [id]);
      for (let n = 1; ; n++) {
        await damage();
        if (junk !== null) {
          await spoil(fake.tier("remote"), shop(id), MANIFEST, Buffer.from(junk));
          await spoil(fake.tier("remote"), shop(id), "globals.zst", Buffer.from("stray"));
        }
        const { site, calls } = dying(n, when);
        await copy(site).catch((error: Error) => expect(error.message).toBe("killed"));
        const keys = await keysOn(fake, "remote");
        for (const file of [MANIFEST, "data-000001.zst", "data-000002.zst"])
          expect(keys).toContain(`shop/${id}/${file}`);
        if (calls() < n) break;
        await copy(fake.site);
        expect(await isGood(fake, fake.tier("remote"), id)).toBe(true);
        expect(n).toBeLessThan(10);
      }
      expect(await isGood(fake, fake.tier("remote"), id)).toBe(true);
      expect(await keysOn(fake, "remote")).not.toContain(`shop/${id}/globals.zst`);
    },
  );

  test("is recorded once every byte was verified, and not when the good bytes cannot be had", async () => {
    await putEverywhere(fake, [id]);
    await maintainAll(fake);
    await damage();
    const { site } = failing(fake, "local", (key) => (key.endsWith("details.zst") ? errorOf("STORE_FAILED") : null));
    expect(await maintain(fake, "remote", site)).toMatchObject({ repairsStarted: 1 });
    await wipe(fake.tier("cloud"));
    await expect(copy(site)).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect(actions()).not.toContain("tier.repaired");
    expect(await keysOn(fake, "remote")).toContain(`shop/${id}/${MANIFEST}`);
    await recordRepair(fake.site.record, await copy(fake.site));
    expect(fake.events.at(-1)).toMatchObject({
      action: "tier.repaired",
      details: { was: "damaged", madeGoodFrom: "local", objects: 2 },
    });
    expect(await isGood(fake, fake.tier("remote"), id)).toBe(true);
  });

  test("of a copy that turns out whole changes nothing, and is recorded as a verification", async () => {
    await putEverywhere(fake, [id]);
    await noteDamage(fake.config, "remote", shop(id), "data-000001.zst"); // a reader's memory was bad
    const { site, changes } = failing(fake, "remote", () => null);
    await recordRepair(fake.site.record, await copy(site));
    expect(changes).toEqual([]);
    expect(fake.events).toMatchObject([{ action: "backup.verified", outcome: "ok" }]);
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
  });

  test("touches nothing where the tier does not give out its manifest", async () => {
    await putEverywhere(fake, [id]);
    await damage();
    const { site, changes } = failing(fake, "remote", (key) => (isManifest(key) ? errorOf("STORE_REFUSED") : null));
    await expect(copy(site)).rejects.toMatchObject({ code: "STORE_REFUSED" });
    expect(changes).toEqual([]);
  });
});
