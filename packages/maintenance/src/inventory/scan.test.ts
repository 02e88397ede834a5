import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { noteDamage, siteTrust } from "@trivault/backup";
import { backupKey, type Key, MANIFEST, TrivaultError } from "@trivault/core";
import { bytesSource, type Store, type Tier } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, spoil } from "../../test/fake-site.ts";
import { readInventories } from "./cache.ts";
import { scanAll, scanTier } from "./scan.ts";

let fake: FakeSite;
let reads: string[];
beforeEach(async () => {
  fake = await fakeSite();
  reads = [];
});
afterEach(async () => fake[Symbol.asyncDispose]());

const ref = (backupId: string) => ({ database: "shop", backupId });
const cacheFile = () => path.join(fake.config.backupDir, ".trivault/inventory/remote.json");

/** The remote tier, with what is read of it kept in `reads`. */
function watched(): Tier {
  const tier = fake.tier("remote");
  const get: Store["get"] = (key, options) => {
    reads.push(key);
    return tier.store.get(key, options);
  };
  return { ...tier, store: { ...tier.store, get } };
}

async function scan(tier = watched()) {
  reads.length = 0;
  const trust = await siteTrust(fake.site);
  return scanTier(fake.site, tier, { signal: fake.context.signal, trust });
}

const statesOf = ({ inventory }: Awaited<ReturnType<typeof scan>>) =>
  Object.fromEntries(inventory.copies.map(({ backupId, state }) => [backupId, state]));

test("each copy is what its manifest and its listing make it", async () => {
  const [complete = "", short = "", forged = "", junk = "", swapped = "", partial = ""] = idsOf(6);
  for (const id of [complete, short, forged, junk, swapped, partial]) {
    await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  }
  await spoil(fake.tier("remote"), ref(short), "data-000001.zst", Buffer.from("short"));
  await spoil(
    fake.tier("remote"),
    ref(forged),
    MANIFEST,
    Buffer.from((await manifestOf(forged)).toString().replace("17.0", "17.9")),
  );
  await spoil(fake.tier("remote"), ref(junk), MANIFEST, Buffer.from("junk"));
  await spoil(fake.tier("remote"), ref(swapped), MANIFEST, await manifestOf(complete));
  await fake.tier("remote").store.delete(backupKey("shop", partial, MANIFEST));
  const found = await scan();
  expect(statesOf(found)).toEqual({
    [complete]: "complete",
    [short]: "damaged",
    [forged]: "untrusted",
    [junk]: "untrusted",
    [swapped]: "untrusted",
    [partial]: "partial",
  });
  expect(found.inventory.copies[0]).toMatchObject({ objects: 4, expected: { objects: 3 } });
});

async function manifestOf(id: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(fake.tier("remote").store.get(backupKey("shop", id, MANIFEST))));
}

test("a second scan reads no manifest; then only those that are new, changed, or in doubt", async () => {
  const ids = idsOf(20);
  for (const id of ids) await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  await scan();
  expect(reads).toHaveLength(20);
  expect((await scan()).inventory.copies).toHaveLength(20);
  expect(reads).toEqual([]);

  const [fresh = ""] = idsOf(1, 0);
  await putBackup([fake.tier("remote")], fake.signingKey, ref(fresh));
  await spoil(fake.tier("remote"), ref(ids[3] ?? ""), MANIFEST, Buffer.from("another one"));
  const found = await scan();
  expect(reads.toSorted()).toEqual([ids[3], fresh].map((id) => `shop/${id}/${MANIFEST}`).toSorted());
  expect(statesOf(found)[ids[3] ?? ""]).toBe("untrusted");
  expect((await scan()).inventory.copies.filter(({ state }) => state === "complete")).toHaveLength(20);
  expect(reads).toEqual([]);
});

test("with other trusted keys every manifest is judged anew", async () => {
  const [id = ""] = idsOf(1);
  await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  await scan();
  const options = { signal: fake.context.signal, trust: { trustedKeys: [] } };
  const { inventory } = await scanTier(fake.site, watched(), options);
  expect(inventory.copies).toMatchObject([{ state: "untrusted" }]);
  expect(statesOf(await scan())).toEqual({ [id]: "complete" });
});

test("the cache is for the owner alone, and one that is broken or of another tier is made anew", async () => {
  const [id = ""] = idsOf(1);
  await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  await scan();
  expect((await stat(cacheFile())).mode & 0o777).toBe(0o600);
  const whole = await readFile(cacheFile(), "utf8");
  for (const broken of [
    "",
    whole.slice(0, -40),
    whole.replace('"complete"', '"splendid"'),
    whole.replace('"remote"', '"cloud"'),
  ]) {
    await writeFile(cacheFile(), broken);
    expect(await readInventories(fake.config)).toEqual([]);
    expect(statesOf(await scan())).toEqual({ [id]: "complete" });
    expect(reads).toHaveLength(1);
  }
});

test("9.B15 the cache has a line for each copy, so that it is read some hundred at a time (json-list.ts)", async () => {
  for (const id of idsOf(3)) await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  await scan();
  const [head = "", ...lines] = (await readFile(cacheFile(), "utf8")).split("\n");
  expect(head).toMatch(/"copies":\[$/);
  expect(lines).toHaveLength(4);
});

test("what was noted as damaged stays so until the copy is made anew, and its note goes with the copy", async () => {
  const [id = ""] = idsOf(1);
  await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  await scan();
  await noteDamage(fake.config, "remote", ref(id), "rotten");
  expect((await readInventories(fake.config))[0]?.copies).toMatchObject([{ state: "damaged" }]);
  expect(statesOf(await scan())).toEqual({ [id]: "damaged" });
  expect(statesOf(await scan())).toEqual({ [id]: "damaged" });
  for (const { key } of await Array.fromAsync(fake.tier("remote").store.list("")))
    await fake.tier("remote").store.delete(key);
  await scan();
  await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  expect(statesOf(await scan())).toEqual({ [id]: "complete" });
});

test("a site that cannot be written is scanned all the same", async () => {
  const [id = ""] = idsOf(1);
  await putBackup([fake.tier("remote")], fake.signingKey, ref(id));
  const config = { ...fake.config, backupDir: "/proc/nowhere" };
  const options = { signal: fake.context.signal, trust: await siteTrust(fake.site) };
  const { inventory } = await scanTier({ config, now: fake.site.now }, watched(), options);
  expect(inventory.copies).toMatchObject([{ state: "complete" }]);
});

test("one tier that fails, or one manifest that cannot be read, does not hide the rest", async () => {
  const [good = "", bad = ""] = idsOf(2);
  for (const id of [good, bad]) await putBackup(fake.site.tiers, fake.signingKey, ref(id));
  const site = fake.with((store, name) => ({
    ...store,
    list(...args) {
      if (name === "cloud") throw new Error("away");
      return store.list(...args);
    },
    get(key: Key, options) {
      if (name === "remote" && key.includes(bad)) throw new TrivaultError("STORE_REFUSED", "permission denied");
      return store.get(key, options);
    },
  }));
  const options = { signal: fake.context.signal, trust: await siteTrust(fake.site) };
  const { inventories, unreachable } = await scanAll(site, site.tiers, options);
  expect(unreachable).toEqual([{ tier: "cloud", reason: "away" }]);
  expect(inventories.map(({ tier, copies }) => [tier, ...copies.map(({ state }) => state)])).toEqual([
    ["local", "complete", "complete"],
    ["remote", "complete", "unknown"],
  ]);
});

test("nothing of a stranger's counts", async () => {
  const [id = ""] = idsOf(1);
  await using stranger = await fakeSite();
  await putBackup([fake.tier("remote")], stranger.signingKey, ref(id));
  await fake.tier("remote").store.put(`shop/${id}/globals.zst` as Key, bytesSource(Buffer.from("extra")));
  expect(statesOf(await scan())).toEqual({ [id]: "untrusted" });
});
