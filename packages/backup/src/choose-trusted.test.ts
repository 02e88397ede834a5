import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupKey, MANIFEST, newBackupId, TrivaultError } from "@trivault/core";
import { loadOrCreateSigningKey, type SigningKey } from "@trivault/crypto";
import { bytesSource, memoryStore, type Store, type Tier } from "@trivault/storage";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { sampleManifest } from "../test/sample-manifest.ts";
import { adviseInstead, chooseTrusted } from "./choose-trusted.ts";
import { aheadLines, listBackups } from "./list.ts";
import { readTrusted } from "./restore-source.ts";

let folder: TempDir;
let ours: SigningKey;
let stranger: SigningKey;
beforeAll(async () => {
  folder = await makeTempDir();
  ours = await loadOrCreateSigningKey(path.join(folder.path, "ours.key"));
  stranger = await loadOrCreateSigningKey(path.join(folder.path, "stranger.key"));
});
afterAll(() => folder.remove());

const JUNK = "20990101t000000z-00000000";
const OLD = "20261101t020000z-00000001";
const NEW = "20261102t020000z-00000002";
const options = () => ({ trust: { trustedKeys: [ours.publicKey] }, signal: AbortSignal.timeout(30_000) });

function tiersNamed(...names: string[]): Tier[] {
  return names.map((name) => ({ name, kind: "sftp", store: memoryStore(name) }));
}

async function put({ store }: Tier, id: string, key: SigningKey | null, database = "shop"): Promise<void> {
  const bytes = sampleManifest({ database, backupId: id }, key, "2026-11-01T02:00:00.000Z");
  await store.put(backupKey(database, id, MANIFEST), bytesSource(bytes));
}

const choose = async (tiers: readonly Tier[], wanted = "latest") =>
  chooseTrusted(tiers, await listBackups(tiers, "shop"), "shop", wanted, options());

describe("9.A5 junk on one tier does not hijack a restore", () => {
  test("9.A5 latest is the newest that is trusted; what is newer is named", async () => {
    const [local, remote] = tiersNamed("local", "remote") as [Tier, Tier];
    for (const id of [OLD, NEW]) await put(local, id, ours);
    await put(remote, JUNK, null);
    await put(remote, "20980101t000000z-00000000", stranger);
    await remote.store.put(backupKey("shop", "20970101t000000z-00000000", MANIFEST), bytesSource(Buffer.from("{}")));
    const { backup, passedOver } = await choose([local, remote]);
    expect(backup.id).toBe(NEW);
    expect(passedOver).toEqual([
      { id: JUNK, tiers: ["remote"], reason: "not signed" },
      { id: "20980101t000000z-00000000", tiers: ["remote"], reason: "signed by a key that is not known here" },
      { id: "20970101t000000z-00000000", tiers: ["remote"], reason: expect.stringContaining("cannot be used") },
    ]);
  });

  test("9.A5 a manifest that nobody may read does not hold up the others, and one good copy is enough", async () => {
    const [local, remote] = tiersNamed("local", "remote") as [Tier, Tier];
    for (const tier of [local, remote]) await put(tier, NEW, ours);
    await put(remote, JUNK, null);
    const store: Store = {
      ...remote.store,
      get() {
        throw new TrivaultError("STORE_REFUSED", "you may not read this");
      },
    };
    const { backup, passedOver } = await choose([{ ...remote, store }, local]);
    expect(backup.id).toBe(NEW);
    expect(passedOver).toEqual([{ id: JUNK, tiers: ["remote"], reason: "you may not read this" }]);
  });

  test("9.A5 --allow-unsigned is advised only where nothing is trusted", async () => {
    const tiers = tiersNamed("remote") as [Tier];
    await put(tiers[0], JUNK, null);
    const alone = await choose(tiers).catch((error: unknown) => error);
    expect(alone).toMatchObject({ code: "UNTRUSTED", permanent: true });
    expect(String(alone)).toMatch(/2099.*not signed.*--backup ID --allow-unsigned/);
    const advice = async () => {
      const list = await listBackups(tiers, "shop");
      const { backup } = await choose(tiers, JUNK);
      return adviseInstead(tiers, list, backup, options());
    };
    expect(await advice()).toContain("--allow-unsigned");
    await put(tiers[0], OLD, ours);
    expect(await advice()).toBe(`The newest backup of shop that is trusted is ${OLD}.`);
  });

  test("9.A5 --allow-unsigned takes the trusted manifest of a backup, where one of its copies has it", async () => {
    const [remote, local] = tiersNamed("remote", "local") as [Tier, Tier];
    await put(remote, NEW, stranger);
    const read = async (holders: readonly Tier[]) => {
      const { backup } = await choose(holders, NEW);
      const trust = { identities: null, ...options().trust };
      return readTrusted(holders, backup, trust, true, () => undefined, options().signal);
    };
    expect((await read([remote, local])).signature?.publicKey).toBe(stranger.publicKey);
    await put(local, NEW, ours);
    expect((await read([remote, local])).signature?.publicKey).toBe(ours.publicKey);
  });

  test("9.A5 ids in the future are named", async () => {
    const tiers = tiersNamed("remote") as [Tier];
    for (const id of [JUNK, OLD, newBackupId()]) await put(tiers[0], id, ours);
    const list = await listBackups(tiers, "shop");
    expect(aheadLines(list, "shop", new Date())).toEqual([
      expect.stringContaining(`1 backup is dated in the future: ${JUNK}.`),
    ]);
    expect(aheadLines(list, "crm", new Date())).toEqual([]);
  });
});
