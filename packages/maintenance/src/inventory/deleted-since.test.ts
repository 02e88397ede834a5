import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type BackupRef, noteDoubt, readNotes, siteTrust } from "@trivault/backup";
import { backupKey, MANIFEST } from "@trivault/core";
import type { Store } from "@trivault/storage";
import { type FakeSite, fakeSite, idsOf, putBackup, spoil } from "../../test/fake-site.ts";
import { deleteCopy } from "../plan/delete-copy.ts";
import { maintainTier } from "../upkeep/maintain-tier.ts";
import { verifyRecorded } from "../repair/verify-recorded.ts";

/** Retention deletes while others look: what is gone because we deleted it is neither damaged, missing nor lost. */
let fake: FakeSite;
let id: string;
beforeEach(async () => {
  fake = await fakeSite();
  id = idsOf(1)[0] ?? "";
  await putBackup(fake.site.tiers, fake.signingKey, shop(id));
  for (const { name } of fake.site.tiers) await maintainTier(fake.site, name, fake.context);
});
afterEach(async () => fake[Symbol.asyncDispose]());

const shop = (backupId: string): BackupRef => ({ database: "shop", backupId });
const actions = () => fake.events.map(({ action }) => action);

/** As retention does. */
async function deleteByUs(): Promise<void> {
  await deleteCopy(fake.config, fake.tier("remote"), shop(id), fake.context.signal);
  await fake.site.record({
    action: "backup.deleted",
    outcome: "ok",
    actor: "maintenance",
    tier: "remote",
    ...shop(id),
  });
}

async function deleteByStranger(): Promise<void> {
  const { store } = fake.tier("remote");
  await store.delete(backupKey("shop", id, MANIFEST));
  for (const { key } of await Array.fromAsync(store.list(`shop/${id}/`))) await store.delete(key);
}

/** Does something as soon as a segment of the remote tier is looked at. */
function meanwhile(act: () => Promise<void>): typeof fake.site {
  let done: Promise<void> | null = null;
  return fake.with((store, name): Store => {
    if (name !== "remote") return store;
    const holds: Store["holds"] = async (...args) => (await (done ??= act()), store.holds(...args));
    return { ...store, holds };
  });
}

async function verify(site = fake.site, listed = true): Promise<string> {
  const tier = site.tiers.find(({ name }) => name === "remote") ?? site.tiers[0];
  const { state } = await verifyRecorded({ ...site, history: fake.history }, tier, shop(id), {
    trust: await siteTrust(fake.site),
    signal: fake.context.signal,
    actor: "user:ada@host",
    allowUnsigned: false,
    listed,
    progress: () => undefined,
    note: () => undefined,
  });
  return state;
}

describe("9.A1 verify beside retention", () => {
  test.each([
    ["since it was listed", true],
    ["long ago, while other tiers keep it", false],
  ])("a copy that we deleted %s is not recorded as missing", async (_, listed) => {
    await deleteByUs();
    if (!listed) await maintainTier(fake.site, "remote", fake.context); // a scan takes the note away
    expect(await verify(fake.site, listed)).toBe("deleted");
    expect(actions()).toEqual(["backup.deleted"]);
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
  });

  test("one that we delete while it is read is not damaged", async () => {
    expect(await verify(meanwhile(deleteByUs))).toBe("deleted");
    expect(actions()).toEqual(["backup.deleted"]);
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
  });

  test("one that a stranger deletes is damaged, and reported as vanished", async () => {
    expect(await verify(meanwhile(deleteByStranger))).toBe("damaged");
    expect(fake.events).toMatchObject([
      { action: "backup.verified", outcome: "failed", details: { state: "damaged" } },
    ]);
    await maintainTier(fake.site, "remote", fake.context);
    expect(actions()).toContain("tier.vanished");
  });

  test("one that we deleted and brought back, and that a stranger deletes, is missed", async () => {
    await deleteByUs();
    await maintainTier(fake.site, "remote", fake.context);
    await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
    await fake.site.record({ action: "backup.copy", outcome: "ok", actor: "a", tier: "remote", ...shop(id) });
    await deleteByStranger();
    expect(await verify()).toBe("damaged");
    // What was done on one tier explains nothing on another.
    await fake.site.record({ action: "backup.deleted", outcome: "ok", actor: "a", tier: "cloud", ...shop(id) });
    expect(await verify()).toBe("damaged");
  });

  test("one whose bytes are wrong, and that is there, is damaged whatever was deleted before", async () => {
    await fake.site.record({ action: "backup.deleted", outcome: "ok", actor: "a", tier: "remote", ...shop(id) });
    await spoil(fake.tier("remote"), shop(id), "data-000001.zst", Buffer.from("rot"));
    expect(await verify()).toBe("damaged");
    expect(await readNotes(fake.config, "remote", "damaged")).toHaveLength(1);
  });
});

describe("9.A2 maintenance beside retention of another process", () => {
  test("what we delete while the tier is being listed has not vanished; what a stranger deletes has", async () => {
    const during = (act: () => Promise<void>) =>
      fake.with((store, name) => {
        if (name !== "remote") return store;
        const list: Store["list"] = async function* list(...args) {
          await act();
          yield* store.list(...args);
        };
        return { ...store, list };
      });
    await maintainTier(during(deleteByUs), "remote", fake.context);
    expect(actions()).toEqual(["backup.deleted"]);

    await putBackup([fake.tier("remote")], fake.signingKey, shop(id));
    await maintainTier(fake.site, "remote", fake.context);
    await maintainTier(during(deleteByStranger), "remote", fake.context);
    expect(actions()).toEqual(["backup.deleted", "tier.vanished"]);
  });

  test("a copy in doubt that is deleted while it is verified is not damaged", async () => {
    const doubt = { problem: null, files: ["data-000001.zst"], seen: null };
    await noteDoubt(fake.config, "remote", shop(id), { ...doubt, problem: "data-000001.zst: EIO" });
    await maintainTier(meanwhile(deleteByUs), "remote", fake.context);
    expect(actions()).toEqual(["backup.deleted"]);
    expect(await readNotes(fake.config, "remote", "damaged")).toEqual([]);
  });
});
