import { rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { backupKey, MANIFEST, RECOVERY_KEY } from "@trivault/core";
import { bytesSource, type Tier } from "@trivault/storage";
import { beginDump, dyingStores, type FakeSite, fakeSite, sampleContent, SEGMENT } from "../../test/fake-dump.ts";
import { listCopies } from "../copies.ts";
import type { BackupRef } from "../site.ts";
import { readNotes } from "../tier-notes.ts";
import { verifyCopy } from "../verify.ts";
import { copyStage } from "./copy.ts";
import { encryptStage } from "./encrypt.ts";

let fake: FakeSite;
let ref: BackupRef;
const content = sampleContent(2 * SEGMENT + 1000);
beforeEach(async () => {
  fake = await fakeSite();
  const dump = await beginDump(fake);
  await dump.finish(content);
  await encryptStage(fake.site, dump.ref, fake.context());
  ref = dump.ref;
});
afterEach(async () => fake[Symbol.asyncDispose]());

const tier = (name: string): Tier => fake.site.tiers.find((each) => each.name === name) ?? fake.site.tiers[0];
const copy = (from: string, to: string, site = fake.site) => copyStage(site, { ...ref, from, to }, fake.context());
const whole = (name: string) => fake.contentOf(tier(name), ref);
const damageOn = async (name: string) => {
  const options = { signal: AbortSignal.timeout(30_000), allowUnsigned: false };
  return (await verifyCopy(tier(name), ref, fake.trust, options)).damage;
};
const keyOf = (file: string) => backupKey(ref.database, ref.backupId, file);

async function wipe(name: string): Promise<void> {
  for (const { key } of await Array.fromAsync(tier(name).store.list(""))) await tier(name).store.delete(key);
}

async function spoil(name: string, file: string, bytes: Buffer): Promise<void> {
  await tier(name).store.delete(keyOf(file));
  await tier(name).store.put(keyOf(file), bytesSource(bytes));
}

describe.each([
  ["remote", "local"],
  ["cloud", "remote"],
])("from %s to %s", (from, to) => {
  test.each(["before", "after"] as const)(
    "killed %s any call that changes a tier, and run again, it converges",
    async (when) => {
      await copy("local", from);
      for (let n = 1; ; n++) {
        await wipe(to);
        const dying = dyingStores(n, when);
        await copy(from, to, fake.with(dying.wrap)).catch((error: Error) => error);
        if (!dying.died()) {
          expect(n).toBeGreaterThan(5);
          break;
        }
        const [seen] = await listCopies(tier(to));
        if (seen?.complete) expect(await damageOn(to)).toEqual([]);
        await copy(from, to);
        expect(await damageOn(to)).toEqual([]);
      }
      expect(await whole(to)).toEqual(content);
    },
  );
});

describe("a source that lost a segment", () => {
  test.each([
    ["is missing", (name: string) => tier(name).store.delete(keyOf("data-000002.zst.age"))],
    ["was cut off", (name: string) => spoil(name, "data-000002.zst.age", Buffer.from("short"))],
    ["has other bytes", (name: string) => spoil(name, "data-000002.zst.age", Buffer.alloc(SEGMENT + 216))],
  ])("(it %s): a third tier gives it, and the source is noted as damaged", async (_, damage) => {
    await copy("local", "cloud");
    await damage("local");
    await copy("local", "remote");
    expect(await whole("remote")).toEqual(content);
    expect(fake.notes).toContainEqual("data-000002.zst.age was taken from cloud");
    const notes = await readNotes(fake.config, "local", "damaged");
    expect(notes).toMatchObject([{ ...ref, problem: expect.stringContaining("data-000002.zst.age") }]);
  });

  test("and nobody else has it: the copy fails, without a manifest", async () => {
    await tier("local").store.delete(keyOf("data-000002.zst.age"));
    await expect(copy("local", "remote")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await listCopies(tier("remote"))).filter(({ complete }) => complete)).toEqual([]);
  });

  test("a target that fails is no fault of the source", async () => {
    await copy("local", "cloud");
    const site = fake.with((store) => ({
      ...store,
      async put(...args) {
        if (store.description.includes("remote")) throw new Error("disk full");
        return store.put(...args);
      },
    }));
    await expect(copy("local", "remote", site)).rejects.toThrow("disk full");
    expect(await readNotes(fake.config, "local", "damaged")).toEqual([]);
  });
});

test("a source that lost the whole copy: another tier's is taken", async () => {
  await copy("local", "cloud");
  await rm(path.join(fake.config.backupDir, "shop"), { recursive: true });
  await copy("local", "remote");
  expect(await whole("remote")).toEqual(content);
  await wipe("cloud");
  await copy("cloud", "local");
  expect(await whole("local")).toEqual(content);
});

test("a manifest that no trusted key signed gets nothing into another tier", async () => {
  await copy("local", "cloud");
  const stored = Buffer.concat(await Array.fromAsync(tier("cloud").store.get(keyOf(MANIFEST))));
  await wipe("local");
  await spoil("cloud", MANIFEST, Buffer.from(stored.toString().replace('"17.0"', '"17.1"')));
  const refusal = { permanent: true, message: expect.stringContaining("not signed by a key that is trusted") };
  await expect(copy("cloud", "remote")).rejects.toMatchObject(refusal);
  expect(await listCopies(tier("remote"))).toEqual([]);
});

test("a tier that cannot be asked may have it: worth another try", async () => {
  const site = fake.with((store) => ({
    ...store,
    get(...args) {
      if (store.description.includes("cloud")) throw new Error("away");
      return store.get(...args);
    },
  }));
  await wipe("local");
  await expect(copy("local", "remote", site)).rejects.toMatchObject({ permanent: false });
  await expect(copy("local", "remote")).rejects.toMatchObject({ code: "ABANDONED", permanent: true });
});

test("what lies in the target's folder and is not in the manifest goes before the manifest comes", async () => {
  await tier("remote").store.put(keyOf("globals.zst.age"), bytesSource(Buffer.from("of another attempt")));
  await copy("local", "remote");
  expect(await tier("remote").store.stat(keyOf("globals.zst.age"))).toBeNull();
  expect(await whole("remote")).toEqual(content);
});

test("9.A8 what another site deleted meanwhile is not vouched for: no manifest, and the next try brings it again", async () => {
  let deleted = false;
  const site = fake.with((store) => ({
    ...store,
    async put(key, ...rest) {
      // The recovery note is put after the segments and before the manifest.
      if (key === RECOVERY_KEY) {
        deleted = true;
        for (const { key: each } of await Array.fromAsync(store.list("shop/"))) await store.delete(each);
      }
      return store.put(key, ...rest);
    },
  }));
  const refusal = {
    code: "STORE_FAILED",
    message: expect.stringContaining("Something else deletes there"),
    permanent: false,
  };
  await expect(copy("local", "remote", site)).rejects.toMatchObject(refusal);
  expect(deleted).toBe(true);
  expect(await tier("remote").store.stat(keyOf(MANIFEST))).toBeNull();
  await copy("local", "remote");
  expect(await whole("remote")).toEqual(content);
});

test("9.A5 a manifest of somebody else's on the target is not taken for a copy: it gives way to the trusted one", async () => {
  await copy("local", "remote");
  const stored = Buffer.concat(await Array.fromAsync(tier("remote").store.get(keyOf(MANIFEST))));
  await spoil("remote", MANIFEST, Buffer.from(stored.toString().replace('"17.0"', '"17.1"')));
  expect(await copy("local", "remote")).toMatchObject({ repaired: { was: "untrusted", objects: 1 } });
  expect(await damageOn("remote")).toEqual([]);
});

test("9.A1 nothing of a copy that is good already is written again", async () => {
  await copy("local", "remote");
  expect(await copy("local", "remote")).toMatchObject({ bytes: 0, repaired: null });
});
