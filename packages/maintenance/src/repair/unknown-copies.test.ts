import { chmod, rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { copyStage, noteDamage, readNotes, siteTrust, verifyCopy } from "@trivault/backup";
import { backupKey, type ErrorCode, type Key, MANIFEST, TrivaultError } from "@trivault/core";
import { type Store, type Tier } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, spoil, wipe } from "../../test/fake-site.ts";
import { listSite } from "../inventory/list-site.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";
import { recordRepair } from "./repair.ts";
import { verifyRecorded } from "./verify-recorded.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

const ALL = ["local", "remote", "cloud"];
const shop = (backupId: string) => ({ database: "shop", backupId });
const maintain = (tier: string, site = fake.site) => maintainTier(site, tier, fake.context);
const round = async () => {
  for (const tier of ALL) await maintain(tier);
};
const loseInventory = () => rm(path.join(fake.config.backupDir, ".trivault/inventory"), { recursive: true });
const keysOn = async (name: string) =>
  (await Array.fromAsync(fake.tier(name).store.list(""))).map(({ key }) => String(key));
const actions = () => fake.events.map(({ action }) => action);

/** A site whose tier does not give out what a test says; what changes that tier is counted. */
function failing(
  name: string,
  fails: (key: Key) => unknown,
): { readonly site: MaintenanceSite; readonly changes: string[] } {
  const changes: string[] = [];
  const site = fake.with((store, tier) => {
    if (tier !== name) return store;
    const check = (key: Key) => {
      const error = fails(key);
      if (error !== null) throw error as Error;
    };
    return {
      ...store,
      async *get(key, options) {
        check(key);
        yield* store.get(key, options);
      },
      async holds(key, bytes, options) {
        check(key);
        return store.holds(key, bytes, options);
      },
      put: (key, ...rest) => (changes.push(`put ${key}`), store.put(key, ...rest)),
      replace: (key, ...rest) => (changes.push(`replace ${key}`), store.replace(key, ...rest)),
      delete: (key, ...rest) => (changes.push(`delete ${key}`), store.delete(key, ...rest)),
    };
  });
  return { site, changes };
}

const isManifest = (key: Key) => key.endsWith(MANIFEST);
const errorOf = (code: ErrorCode) => new TrivaultError(code, `reading failed: ${code}`);

async function putEverywhere(ids: readonly string[]): Promise<void> {
  for (const id of ids) await putBackup(fake.site.tiers, fake.signingKey, shop(id));
}

async function isGood(tier: Tier, id: string): Promise<boolean> {
  const options = { signal: fake.context.signal, allowUnsigned: false };
  return (await verifyCopy(tier, shop(id), await siteTrust(fake.site), options)).good;
}

describe("9.A1 a manifest that cannot be read", () => {
  test.each<[string, unknown]>([
    ["a refusal (403, EACCES, SSH_FX_PERMISSION_DENIED)", errorOf("STORE_REFUSED")],
    ["an overload or a disk's error (503, EIO, SSH_FX_FAILURE)", errorOf("STORE_FAILED")],
    ["a connection that breaks for it alone", errorOf("STORE_UNREACHABLE")],
    ["a full disk", errorOf("STORE_FULL")],
    ["a host key", errorOf("HOST_KEY")],
    ["an error that nobody foresaw", new Error("EIO: i/o error, read")],
    ["a server that lists it and then says it is not there", errorOf("NOT_FOUND")],
  ])("%s: its copies are unknown, nothing is deleted or replaced, and they are tried again", async (_, error) => {
    const ids = idsOf(5);
    await putEverywhere(ids);
    await round();
    await loseInventory();
    const before = await keysOn("remote");
    const { site, changes } = failing("remote", (key) => (isManifest(key) ? error : null));
    for (let rounds = 0; rounds < 2; rounds++) {
      const result = await maintain("remote", site);
      expect(result).toMatchObject({ reachable: true, found: { unknown: 5, damaged: 0, untrusted: 0, partial: 0 } });
      expect(result).toMatchObject({ lost: 0, copiesStarted: 0, repairsStarted: 0, deleted: 0 });
      expect(result.warnings.join()).toContain("5 copies could not be read");
    }
    expect({ changes, keys: await keysOn("remote"), started: fake.started }).toEqual({
      changes: [],
      keys: before,
      started: [],
    });
    expect(actions()).toEqual([]);
    const { backups } = await listSite(fake.site, { signal: fake.context.signal });
    const seen = backups.map(({ copies }) => copies.find(({ tier }) => tier === "remote"));
    expect(seen).toEqual(Array(5).fill(expect.objectContaining({ state: "unknown", complete: false })));
    expect(await maintain("remote")).toMatchObject({ found: { complete: 5, unknown: 0 } });
    expect(actions()).toEqual([]);
  });

  test("and that lies there as it was when it was read: what was known then holds", async () => {
    await putEverywhere(idsOf(2));
    await round();
    const { site } = failing("remote", (key) => (isManifest(key) ? errorOf("STORE_FAILED") : null));
    expect(await maintain("remote", site)).toMatchObject({ found: { complete: 2, unknown: 0 } });
  });

  test("of the local tier, too: list shows it as unknown, though its folder shows a manifest", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere([id]);
    const { site } = failing("local", (key) => (isManifest(key) ? errorOf("STORE_REFUSED") : null));
    await maintain("local", site);
    const { backups } = await listSite(site, { signal: fake.context.signal, fresh: true });
    expect(backups[0]?.copies).toMatchObject([{ tier: "local", state: "unknown" }, {}, {}]);
  });

  test("hundreds of them are not all asked for, and a tier that is down is not looked at", async () => {
    const ids = idsOf(230);
    for (const id of ids) await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
    let asked = 0;
    const { site } = failing("remote", (key) => (isManifest(key) ? (asked++, errorOf("STORE_FAILED")) : null));
    expect(await maintain("remote", site)).toMatchObject({ found: { unknown: 230 } });
    expect(asked).toBeLessThan(220);
    const down = fake.with((store) => ({
      ...store,
      get: () => {
        throw errorOf("STORE_UNREACHABLE");
      },
      stat: () => Promise.reject(errorOf("STORE_UNREACHABLE")),
    }));
    expect(await maintain("remote", down)).toMatchObject({ reachable: false });
  });

  test("is not lost; once it is gone, it is, though nobody knew its state in between", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere([id]);
    await round();
    const manifest = Buffer.concat(
      await Array.fromAsync(fake.tier("remote").store.get(backupKey("shop", id, MANIFEST))),
    );
    await spoil(fake.tier("remote"), shop(id), MANIFEST, manifest); // written again: another time
    const { site } = failing("remote", (key) => (isManifest(key) ? errorOf("STORE_FAILED") : null));
    expect(await maintain("remote", site)).toMatchObject({ found: { unknown: 1 }, lost: 0 });
    expect(await maintain("remote", site)).toMatchObject({ found: { unknown: 1 }, lost: 0 });
    await wipe(fake.tier("remote"));
    expect(await maintain("remote")).toMatchObject({ lost: 1 });
    expect(actions()).toEqual(["tier.vanished"]);
  });

  test("on a real disk: a manifest without the right to read it", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere([id]);
    const file = path.join(fake.config.backupDir, "shop", id, MANIFEST);
    await chmod(file, 0o000);
    // Root reads what it likes.
    if (process.getuid?.() !== 0) expect(await maintain("local")).toMatchObject({ found: { unknown: 1 } });
    await chmod(file, 0o600);
    expect(await maintain("local")).toMatchObject({ found: { complete: 1 } });
  });
});

describe("9.A1 a segment that cannot be read", () => {
  const options = (trust: Awaited<ReturnType<typeof siteTrust>>) => ({
    trust,
    signal: fake.context.signal,
    actor: "user:ann",
    allowUnsigned: false,
    listed: true,
    progress: () => undefined,
    note: fake.context.note,
  });

  test("makes its copy unknown and not damaged, and maintenance reads it again until it can", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere([id]);
    await round();
    const { site, changes } = failing("remote", (key) =>
      key.endsWith("data-000002.zst") ? errorOf("STORE_REFUSED") : null,
    );
    const remote = site.tiers[1] as Tier;
    const checked = await verifyRecorded(
      { ...site, history: fake.history },
      remote,
      shop(id),
      options(await siteTrust(fake.site)),
    );
    expect(checked).toMatchObject({ state: "unknown", problems: [{ file: "data-000002.zst" }] });
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
    for (let rounds = 0; rounds < 2; rounds++) {
      expect(await maintain("remote", site)).toMatchObject({ found: { unknown: 1, damaged: 0 }, repairsStarted: 0 });
    }
    expect(changes).toEqual([`put RECOVERY.md`].slice(changes.length === 0 ? 1 : 0));
    expect(await maintain("remote")).toMatchObject({ found: { complete: 1, unknown: 0 } });
    expect(await readNotes(fake.config, "remote", "doubtful")).toEqual([expect.objectContaining({ problem: null })]);
    expect(await maintain("remote")).toMatchObject({ found: { complete: 1 } });
    expect(await readNotes(fake.config, "remote", "doubtful")).toEqual([]);
  });

  test("beside one that is proven wrong: damaged", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere([id]);
    await spoil(fake.tier("remote"), shop(id), "data-000001.zst", Buffer.from("short"));
    const { site } = failing("remote", (key) => (key.endsWith("details.zst") ? errorOf("STORE_FAILED") : null));
    const remote = site.tiers[1] as Tier;
    const checked = await verifyRecorded(
      { ...site, history: fake.history },
      remote,
      shop(id),
      options(await siteTrust(fake.site)),
    );
    expect(checked.state).toBe("damaged");
    expect(await readNotes(fake.config, "remote", "damaged")).toMatchObject([{ problem: "data-000001.zst" }]);
  });

  test("compared with a manifest that nobody trusts, nothing is proven of it", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere([id]);
    await spoil(fake.tier("remote"), shop(id), "data-000001.zst", Buffer.from("short"));
    const trust = { identities: null, trustedKeys: [] };
    const anyOrigin = { ...options(trust), allowUnsigned: true };
    expect(
      await verifyRecorded({ ...fake.site, history: fake.history }, fake.tier("remote"), shop(id), anyOrigin),
    ).toMatchObject({
      state: "damaged",
    });
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
  });
});

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
      await putEverywhere([id]);
      for (let n = 1; ; n++) {
        await damage();
        if (junk !== null) {
          await spoil(fake.tier("remote"), shop(id), MANIFEST, Buffer.from(junk));
          await spoil(fake.tier("remote"), shop(id), "globals.zst", Buffer.from("stray"));
        }
        const { site, calls } = dying(n, when);
        await copy(site).catch((error: Error) => expect(error.message).toBe("killed"));
        const keys = await keysOn("remote");
        for (const file of [MANIFEST, "data-000001.zst", "data-000002.zst"])
          expect(keys).toContain(`shop/${id}/${file}`);
        if (calls() < n) break;
        await copy(fake.site);
        expect(await isGood(fake.tier("remote"), id)).toBe(true);
        expect(n).toBeLessThan(10);
      }
      expect(await isGood(fake.tier("remote"), id)).toBe(true);
      expect(await keysOn("remote")).not.toContain(`shop/${id}/globals.zst`);
    },
  );

  test("is recorded once every byte was verified, and not when the good bytes cannot be had", async () => {
    await putEverywhere([id]);
    await round();
    await damage();
    const { site } = failing("local", (key) => (key.endsWith("details.zst") ? errorOf("STORE_FAILED") : null));
    expect(await maintain("remote", site)).toMatchObject({ repairsStarted: 1 });
    await wipe(fake.tier("cloud"));
    await expect(copy(site)).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect(actions()).not.toContain("tier.repaired");
    expect(await keysOn("remote")).toContain(`shop/${id}/${MANIFEST}`);
    await recordRepair(fake.site.record, await copy(fake.site));
    expect(fake.events.at(-1)).toMatchObject({
      action: "tier.repaired",
      details: { was: "damaged", madeGoodFrom: "local", objects: 2 },
    });
    expect(await isGood(fake.tier("remote"), id)).toBe(true);
  });

  test("of a copy that turns out whole changes nothing, and is recorded as a verification", async () => {
    await putEverywhere([id]);
    await noteDamage(fake.config, "remote", shop(id), "data-000001.zst"); // a reader's memory was bad
    const { site, changes } = failing("remote", () => null);
    await recordRepair(fake.site.record, await copy(site));
    expect(changes).toEqual([]);
    expect(fake.events).toMatchObject([{ action: "backup.verified", outcome: "ok" }]);
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
  });

  test("touches nothing where the tier does not give out its manifest", async () => {
    await putEverywhere([id]);
    await damage();
    const { site, changes } = failing("remote", (key) => (isManifest(key) ? errorOf("STORE_REFUSED") : null));
    await expect(copy(site)).rejects.toMatchObject({ code: "STORE_REFUSED" });
    expect(changes).toEqual([]);
  });
});

test("9.A1 a partial copy is not swept where its manifest is there, and only the listing lags behind", async () => {
  const [id = ""] = idsOf(1, 40);
  await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
  const site = fake.with((store, name) =>
    name !== "remote"
      ? store
      : {
          ...store,
          async *list(...args) {
            const old = new Date(Date.now() - 48 * 3_600_000);
            for await (const object of store.list(...args)) {
              if (!isManifest(object.key)) yield { ...object, modifiedAt: old };
            }
            yield { key: `shop/${id.replace(/.$/, "z")}/${MANIFEST}` as Key, size: 1, modifiedAt: new Date() };
          },
        },
  );
  await maintain("remote", site);
  expect((await keysOn("remote")).filter((key) => key.startsWith(`shop/${id}`))).toHaveLength(4);
});
