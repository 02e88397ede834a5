import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type Config, resolveConfig } from "@trivault/core";
import { cacheFile, readCache, writeCache } from "./cache.ts";

let folder: string;
let config: Config;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "inventory-"));
  config = resolveConfig({ BACKUP_DIR: folder, BACKUP_S3_BUCKET: "copies", BACKUP_S3_PREFIX: "a" }, "read");
  const inventory = { tier: "cloud", scannedAt: new Date(0), capacity: null, copies: [] };
  await writeCache(config, { inventory, trust: "keys" });
});
afterEach(() => rm(folder, { recursive: true }));

const withTier = (change: object): Config => ({
  ...config,
  tiers: config.tiers.map((tier) => (tier.name === "cloud" ? { ...tier, ...change } : tier)),
});

test("the inventory of a tier is that of its place: another prefix has none", async () => {
  expect(await readCache(config, "cloud")).toMatchObject({ trust: "keys", inventory: { tier: "cloud" } });
  expect(await readCache(withTier({ region: "us-east-1" }), "cloud")).not.toBeNull();
  expect(await readCache(withTier({ prefix: "b" }), "cloud")).toBeNull();
});

test("one that a version before wrote, with the region in its place, is read on", async () => {
  const file = cacheFile(config, "cloud");
  const text = await readFile(file, "utf8");
  const place = JSON.stringify(JSON.stringify([null, "copies", "a"]));
  expect(text).toContain(place);
  const older = JSON.stringify([null, "eu-central-1", "copies", "a"]);
  await writeFile(file, text.replace(place, JSON.stringify(older)));
  expect(await readCache(withTier({ region: "eu-central-1" }), "cloud")).not.toBeNull();
  expect(await readCache(withTier({ region: "us-east-1" }), "cloud")).toBeNull();
});
