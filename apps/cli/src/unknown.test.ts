import { hash } from "node:crypto";
import { mkdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { runCli } from "./testing/spawn-cli.ts";

const ID = "20261123t020000z-7f3k9xq2";
let dir: TempDir;

/** A site that could not read segments of its backup when they were to be verified. */
beforeEach(async () => {
  dir = await makeTempDir("tv-unknown");
  const manifest = path.join(dir.path, "shop", ID, "manifest.json");
  const trivault = path.join(dir.path, ".trivault");
  const doubtful = path.join(trivault, "tiers/local/doubtful");
  for (const folder of [path.dirname(manifest), path.join(trivault, "inventory"), doubtful])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(manifest, "{}");
  const at = new Date().toISOString();
  const read = { manifest: { size: 2, modifiedAt: (await stat(manifest)).mtime }, expected: { objects: 0, bytes: 0 } };
  const copy = { database: "shop", backupId: ID, state: "complete", bytes: 2, objects: 1, newestAt: at, classes: {} };
  const place = JSON.stringify(dir.path);
  const trust = hash("sha256", ""); // no key is known here
  const tier = { version: 1, trust, tier: "local", place, scannedAt: at, capacity: null };
  const inventory = { ...tier, copies: [{ ...copy, ...read }] };
  await writeFile(path.join(trivault, "inventory/local.json"), JSON.stringify(inventory));
  const doubt = { problem: "AccessDenied: kms:Decrypt", files: ["data-000001.zst"], seen: null };
  await writeFile(path.join(doubtful, `shop.${ID}`), JSON.stringify(doubt));
});
afterEach(() => dir.remove());

test("9.A1 a copy that cannot be read is listed as unknown, with the reason, and is no backup to rely on", async () => {
  const env = { BACKUP_DIR: dir.path, DATABASE_URL: "postgresql://nobody@127.0.0.1:1/shop", BACKUP_ENCRYPTION: "none" };
  const cli = (line: string) => runCli(line.split(" "), { cwd: dir.path, env });
  const listed = await cli("list");
  expect(listed.stdout).toMatch(new RegExp(`^${ID}  shop .*  unknown$`, "m"));
  const { code, stdout } = await cli("health");
  expect(code).toBe(1);
  expect(stdout).toMatch(/^shop is not safe;.* 1 copy on local could not be read/);
  expect(stdout).toMatch(/^TIER +KIND +STATE +BACKUPS +DAMAGED +UNTRUSTED +UNKNOWN .*\nlocal +local +ok +0 +0 +0 +1 /m);
  expect(stdout).toMatch(/^1 on local could not be read: AccessDenied: kms:Decrypt$/m);
});
