import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { noteDamage, noteDeletion } from "@trivault/backup";
import { type FakeSite, fakeSite, idsOf, putBackup } from "../../test/fake-site.ts";
import { holdingsOf } from "./holdings.ts";
import { readInventory } from "./cache.ts";
import { createInventoryReader } from "./reader.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";

let fake: FakeSite;
beforeEach(async () => void (fake = await fakeSite()));
afterEach(async () => fake[Symbol.asyncDispose]());

test("reads what readInventory reads; what has not changed stays the very same", async () => {
  const reader = createInventoryReader(fake.config, "local");
  const expected = async () => {
    const inventory = await readInventory(fake.config, "local");
    return inventory && [...holdingsOf(inventory).copies];
  };
  expect(await reader.read()).toBeNull();
  const ids = idsOf(3);
  const refs = ids.flatMap((backupId) => ["shop", "billing"].map((database) => ({ database, backupId })));
  for (const ref of refs) await putBackup([fake.tier("local")], fake.signingKey, ref);
  await maintainTier(fake.site, "local", fake.context);
  const first = await reader.read();
  expect(first && [...first.copies]).toEqual(await expected());
  expect(await reader.read()).toBe(first);

  const [deleted = "", damaged = ""] = ids;
  await noteDeletion(fake.config, "local", { database: "shop", backupId: deleted });
  await noteDamage(fake.config, "local", { database: "shop", backupId: damaged }, "rotten");
  const noted = await reader.read();
  expect(noted && [...noted.copies]).toEqual(await expected());
  expect(noted?.copies.get("shop")?.map(({ state }) => state)).toEqual(["damaged", "complete"]);
  expect(noted?.copies.get("billing")).toBe(first?.copies.get("billing"));
  expect((await reader.read())?.copies.get("shop")).toBe(noted?.copies.get("shop"));

  await maintainTier(fake.site, "local", fake.context);
  const again = await reader.read();
  expect(again && [...again.copies]).toEqual(await expected());
  expect(again?.copies.get("billing")).toBe(first?.copies.get("billing"));
});
