import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { runCli } from "./testing/spawn-cli.ts";

const ID = "20261123t020000z-7f3k9xq2";
let dir: TempDir;

/** A site whose last look at its tier could not read the manifest of its backup. */
beforeEach(async () => {
  dir = await makeTempDir("tv-unknown");
  await mkdir(path.join(dir.path, "shop", ID), { recursive: true });
  await writeFile(path.join(dir.path, "shop", ID, "manifest.json"), "{}");
  await mkdir(path.join(dir.path, ".trivault/inventory"), { recursive: true, mode: 0o700 });
  const at = new Date().toISOString();
  const copy = { database: "shop", backupId: ID, state: "unknown", problem: "AccessDenied: kms:Decrypt" };
  const place = JSON.stringify(dir.path);
  const tier = { version: 1, trust: "", tier: "local", place, scannedAt: at, capacity: null };
  const inventory = {
    ...tier,
    copies: [{ ...copy, bytes: 2, objects: 1, newestAt: at, classes: {}, manifest: null, expected: null }],
  };
  await writeFile(path.join(dir.path, ".trivault/inventory/local.json"), JSON.stringify(inventory));
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
