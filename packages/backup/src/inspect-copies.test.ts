import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { backupKey, type Config, type ErrorCode, MANIFEST, resolveConfig, TrivaultError } from "@trivault/core";
import { loadOrCreateSigningKey, type SigningKey } from "@trivault/crypto";
import { bytesSource, memoryStore, type Tier } from "@trivault/storage";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { sampleManifest } from "../test/sample-manifest.ts";
import { chooseTrusted } from "./choose-trusted.ts";
import { type InspectedCopy, inspectCopies } from "./inspect-copies.ts";
import { type BackupList, listBackups } from "./list.ts";
import { openSource } from "./restore-source.ts";
import { verifyCopy } from "./verify.ts";

let folder: TempDir;
let config: Config;
let ours: SigningKey;
let stranger: SigningKey;
beforeAll(async () => {
  folder = await makeTempDir();
  const env = { DATABASE_URL: "postgresql://h/shop", BACKUP_ENCRYPTION: "none", BACKUP_DIR: folder.path };
  config = resolveConfig(env, "backup");
  ours = await loadOrCreateSigningKey(config.signingKeyFile);
  stranger = await loadOrCreateSigningKey(path.join(folder.path, "stranger.key"));
});
afterAll(() => folder.remove());

const ref = { database: "shop", backupId: "20261101t020000z-00000001" };
const signal = AbortSignal.timeout(60_000);
const trust = () => ({ identities: null, trustedKeys: [ours.publicKey] });

const manifestBytes = (key: SigningKey | null) => sampleManifest(ref, key, "2026-11-01T02:00:00.000Z");

/** A tier that holds these bytes as the manifest, and gives them out unless it answers with `code`. */
async function tierWith(name: string, bytes: Uint8Array | null, code: ErrorCode | null = null): Promise<Tier> {
  const store = memoryStore(name);
  if (bytes !== null) await store.put(backupKey("shop", ref.backupId, MANIFEST), bytesSource(bytes));
  const get = (): AsyncGenerator<Uint8Array> => {
    throw new TrivaultError(code ?? "STORE_FAILED", `${name} answers ${code}`);
  };
  return { name, kind: "sftp", store: code === null ? store : { ...store, get } };
}

const flipped = (bytes: Uint8Array) => bytes.map((byte, index) => (index === 40 ? byte ^ 1 : byte));
const listOf = async (...tiers: Tier[]): Promise<BackupList> => listBackups(tiers, "shop");

describe("9.A1 known, proven bad and unknown are distinguished", () => {
  test.each<[string, InspectedCopy["state"], () => Promise<Tier>]>([
    ["ours", "complete", () => tierWith("a", manifestBytes(ours))],
    ["unsigned", "untrusted", () => tierWith("a", manifestBytes(null))],
    ["a stranger's", "untrusted", () => tierWith("a", manifestBytes(stranger))],
    ["ours with a byte changed", "untrusted", () => tierWith("a", flipped(manifestBytes(ours)))],
    ["no manifest at all", "untrusted", () => tierWith("a", Buffer.from("{}"))],
    ["refused (403)", "unknown", () => tierWith("a", manifestBytes(ours), "STORE_REFUSED")],
    ["given out slowly (503)", "unknown", () => tierWith("a", manifestBytes(ours), "STORE_FAILED")],
    ["there, and not given out", "unknown", () => tierWith("a", manifestBytes(ours), "NOT_FOUND")],
    ["not there", "none", () => tierWith("a", null)],
  ])("by show: a manifest that is %s is %s", async (_, state, open) => {
    const tier = await open();
    const [backup] = (await listOf(await tierWith("b", manifestBytes(ours)), tier)).backups;
    if (backup === undefined) throw new Error("it is listed");
    const [copy] = await inspectCopies(config, [tier], { ...backup, id: ref.backupId }, signal);
    expect(copy).toMatchObject({ state });
    expect(copy?.problem === null).toBe(["complete", "none"].includes(state) || copy?.signature !== null);
  });

  test("by the choice of the newest: bytes that are no manifest do not make it a failure that may pass", async () => {
    const choose = async (tier: Tier) =>
      chooseTrusted([tier], await listOf(tier), "shop", "latest", { trust: trust(), signal }).catch((e: unknown) => e);
    expect(await choose(await tierWith("a", Buffer.from("{}")))).toMatchObject({ code: "UNTRUSTED", permanent: true });
    const refused = await tierWith("a", manifestBytes(ours), "STORE_REFUSED");
    expect(await choose(refused)).toMatchObject({ code: "UNTRUSTED", permanent: false });
  });

  test("by a restore: that one tier has junk does not hide that the other could not be read", async () => {
    const tiers = [
      await tierWith("a", manifestBytes(ours), "STORE_UNREACHABLE"),
      await tierWith("b", Buffer.from("{}")),
    ];
    const [backup] = (await listOf(...tiers)).backups;
    if (backup === undefined) throw new Error("it is listed");
    const context = { signal, note: () => undefined, progress: () => undefined };
    await expect(openSource(tiers, backup, trust(), false, context)).rejects.toMatchObject({
      code: "STORE_UNREACHABLE",
    });
  });

  test("by verify: one that the tier shows and does not give out is not missing", async () => {
    const tier = await tierWith("a", manifestBytes(ours), "NOT_FOUND");
    await expect(verifyCopy(tier, ref, trust(), { signal, allowUnsigned: false })).rejects.toMatchObject({
      code: "STORE_FAILED",
    });
    const none = await verifyCopy(await tierWith("a", null), ref, trust(), { signal, allowUnsigned: false });
    expect(none.damage).toMatchObject([{ file: MANIFEST, problem: expect.stringMatching(/missing/) }]);
  });
});
