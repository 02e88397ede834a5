import { chmod, rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readNotes, siteTrust } from "@trivault/backup";
import { backupKey, type Key, MANIFEST } from "@trivault/core";
import { type Tier } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, spoil, wipe } from "../../test/fake-site.ts";
import { errorOf, failing, isManifest } from "../../test/failing-tier.ts";
import { keysOn, maintain, maintainAll, putEverywhere, shop } from "../../test/rounds.ts";
import { listSite } from "../inventory/list-site.ts";
import { verifyRecorded } from "./verify-recorded.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

const loseInventory = () => rm(path.join(fake.config.backupDir, ".trivault/inventory"), { recursive: true });
const actions = () => fake.events.map(({ action }) => action);

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
    await putEverywhere(fake, ids);
    await maintainAll(fake);
    await loseInventory();
    const before = await keysOn(fake, "remote");
    const { site, changes } = failing(fake, "remote", (key) => (isManifest(key) ? error : null));
    for (let rounds = 0; rounds < 2; rounds++) {
      const result = await maintain(fake, "remote", site);
      expect(result).toMatchObject({ reachable: true, found: { unknown: 5, damaged: 0, untrusted: 0, partial: 0 } });
      expect(result).toMatchObject({ lost: 0, copiesStarted: 0, repairsStarted: 0, deleted: 0 });
      expect(result.warnings.join()).toContain("5 copies could not be read");
    }
    expect({ changes, keys: await keysOn(fake, "remote"), started: fake.started }).toEqual({
      changes: [],
      keys: before,
      started: [],
    });
    expect(actions()).toEqual([]);
    const { backups } = await listSite(fake.site, { signal: fake.context.signal });
    const seen = backups.map(({ copies }) => copies.find(({ tier }) => tier === "remote"));
    expect(seen).toEqual(Array(5).fill(expect.objectContaining({ state: "unknown", complete: false })));
    expect(await maintain(fake, "remote")).toMatchObject({ found: { complete: 5, unknown: 0 } });
    expect(actions()).toEqual([]);
  });

  test("and that lies there as it was when it was read: what was known then holds", async () => {
    await putEverywhere(fake, idsOf(2));
    await maintainAll(fake);
    const { site } = failing(fake, "remote", (key) => (isManifest(key) ? errorOf("STORE_FAILED") : null));
    expect(await maintain(fake, "remote", site)).toMatchObject({ found: { complete: 2, unknown: 0 } });
  });

  test("of the local tier, too: list shows it as unknown, though its folder shows a manifest", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere(fake, [id]);
    const { site } = failing(fake, "local", (key) => (isManifest(key) ? errorOf("STORE_REFUSED") : null));
    await maintain(fake, "local", site);
    const { backups } = await listSite(site, { signal: fake.context.signal, fresh: true });
    expect(backups[0]?.copies).toMatchObject([{ tier: "local", state: "unknown" }, {}, {}]);
  });

  test("hundreds of them are not all asked for, and a tier that is down is not looked at", async () => {
    const ids = idsOf(230);
    for (const id of ids) await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
    let asked = 0;
    const { site } = failing(fake, "remote", (key) => (isManifest(key) ? (asked++, errorOf("STORE_FAILED")) : null));
    expect(await maintain(fake, "remote", site)).toMatchObject({ found: { unknown: 230 } });
    expect(asked).toBeLessThan(220);
    const down = fake.with((store) => ({
      ...store,
      get: () => {
        throw errorOf("STORE_UNREACHABLE");
      },
      stat: () => Promise.reject(errorOf("STORE_UNREACHABLE")),
    }));
    expect(await maintain(fake, "remote", down)).toMatchObject({ reachable: false });
  });

  test("is not lost; once it is gone, it is, though nobody knew its state in between", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere(fake, [id]);
    await maintainAll(fake);
    const manifest = Buffer.concat(
      await Array.fromAsync(fake.tier("remote").store.get(backupKey("shop", id, MANIFEST))),
    );
    await spoil(fake.tier("remote"), shop(id), MANIFEST, manifest); // written again: another time
    const { site } = failing(fake, "remote", (key) => (isManifest(key) ? errorOf("STORE_FAILED") : null));
    expect(await maintain(fake, "remote", site)).toMatchObject({ found: { unknown: 1 }, lost: 0 });
    expect(await maintain(fake, "remote", site)).toMatchObject({ found: { unknown: 1 }, lost: 0 });
    await wipe(fake.tier("remote"));
    expect(await maintain(fake, "remote")).toMatchObject({ lost: 1 });
    expect(actions()).toEqual(["tier.vanished"]);
  });

  test("on a real disk: a manifest without the right to read it", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere(fake, [id]);
    const file = path.join(fake.config.backupDir, "shop", id, MANIFEST);
    await chmod(file, 0o000);
    // Root reads what it likes.
    if (process.getuid?.() !== 0) expect(await maintain(fake, "local")).toMatchObject({ found: { unknown: 1 } });
    await chmod(file, 0o600);
    expect(await maintain(fake, "local")).toMatchObject({ found: { complete: 1 } });
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
    await putEverywhere(fake, [id]);
    await maintainAll(fake);
    const { site, changes } = failing(fake, "remote", (key) =>
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
      expect(await maintain(fake, "remote", site)).toMatchObject({
        found: { unknown: 1, damaged: 0 },
        repairsStarted: 0,
      });
    }
    expect(changes).toEqual([`put RECOVERY.md`].slice(changes.length === 0 ? 1 : 0));
    expect(await maintain(fake, "remote")).toMatchObject({ found: { complete: 1, unknown: 0 } });
    expect(await readNotes(fake.config, "remote", "doubtful")).toEqual([expect.objectContaining({ problem: null })]);
    expect(await maintain(fake, "remote")).toMatchObject({ found: { complete: 1 } });
    expect(await readNotes(fake.config, "remote", "doubtful")).toEqual([]);
  });

  test("beside one that is proven wrong: damaged", async () => {
    const [id = ""] = idsOf(1);
    await putEverywhere(fake, [id]);
    await spoil(fake.tier("remote"), shop(id), "data-000001.zst", Buffer.from("short"));
    const { site } = failing(fake, "remote", (key) => (key.endsWith("details.zst") ? errorOf("STORE_FAILED") : null));
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
    await putEverywhere(fake, [id]);
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
  await maintain(fake, "remote", site);
  expect((await keysOn(fake, "remote")).filter((key) => key.startsWith(`shop/${id}`))).toHaveLength(4);
});
