import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { COPY_STATES, resolveConfig } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { cacheFile, readHeld, writeCache } from "./cache.ts";
import { holdingsOf } from "./holdings.ts";
import type { InventoryCopy } from "./inventory.ts";
import { readShortForm } from "./short-form.ts";

let dir: TempDir;
beforeEach(async () => {
  dir = await makeTempDir("short-form");
});
afterEach(() => dir.remove());

const config = () =>
  resolveConfig(
    { DATABASE_URL: "postgresql://u@h/shop", BACKUP_ENCRYPTION: "none", BACKUP_DIR: `${dir.path}/backups` },
    "backup",
  );
const now = new Date("2026-11-23T02:00:00.000Z");
const shortFile = () => path.join(dir.path, "backups/.trivault/inventory/short/local.json");

/** All kinds, of which most are alike. */
function copies(count: number): InventoryCopy[] {
  return Array.from({ length: count }, (_, index): InventoryCopy => {
    const isOdd = index % 7 === 0;
    const state = isOdd ? (COPY_STATES[index % COPY_STATES.length] ?? "complete") : "complete";
    const classes = [{}, { STANDARD: 5 + index }, { STANDARD: 1, GLACIER: 4 + index }][
      index % 21 === 3 ? 2 : index & 1
    ];
    return {
      database: `db${index % 3}`,
      backupId: `20261123t020000z-${String(index).padStart(8, "0")}`,
      state,
      problem: state === "unknown" ? "EIO: it could not be read" : null,
      lastState: null,
      bytes: 5 + index,
      objects: 3,
      newestAt: now,
      ...(index === 9 ? { seenAt: now } : {}),
      classes: classes ?? {},
      stamps: "",
      manifest: null,
      expected: null,
    };
  });
}
const write = (count: number) =>
  writeCache(config(), {
    trust: "",
    inventory: { tier: "local", scannedAt: now, capacity: null, copies: copies(count) },
  });
const held = async () => {
  const found = await readHeld(config(), "local");
  return found && JSON.parse(JSON.stringify([...holdingsOf(found).copies]));
};
const idOf = () => /"id":"([^"]+)"/.exec(readFileSync(cacheFile(config(), "local"), "utf8"))?.[1] ?? "";

test("says of each copy what the inventory says", async () => {
  await write(2000);
  const short = await readShortForm(config(), "local", idOf());
  expect(short).toHaveLength(2000);
  const byShort = await held();
  rmSync(shortFile());
  expect(await held()).toEqual(byShort);
  expect(byShort.map(([, those]: [string, unknown[]]) => those.length)).toEqual([667, 667, 666]);
});

test("is not written for few, and nothing lacks", async () => {
  await write(12);
  expect(readdirSync(path.join(dir.path, "backups/.trivault/inventory"))).toEqual(["local.json"]);
  expect(await held()).toHaveLength(3);
});

test("of another inventory, or damaged at any place, it is as if it were not there", async () => {
  await write(1001);
  const older = readFileSync(shortFile());
  await write(1002);
  const expected = await held();
  const good = readFileSync(shortFile());
  const damaged = [0, 30, 100, 170, 1000, good.length >> 1, good.length - 2].map((at) => {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  });
  for (const bytes of [older, ...damaged, good.subarray(0, -1), Buffer.from(""), Buffer.from("{}\n{}")]) {
    writeFileSync(shortFile(), bytes);
    expect(await readShortForm(config(), "local", idOf())).toBeNull();
    expect(await held()).toEqual(expected);
  }
  writeFileSync(shortFile(), good);
  expect(await readShortForm(config(), "local", idOf())).toHaveLength(1002);
});

test("does not bring back an inventory of another place, or one that is gone", async () => {
  await write(1001);
  const file = cacheFile(config(), "local");
  const text = readFileSync(file, "utf8");
  const [head = ""] = text.split("\n");
  writeFileSync(file, text.replace(/"place":"(?:[^"\\]|\\.)*"/, `"place":"elsewhere"`));
  expect(head).toContain(`"place":`);
  expect(await held()).toBeNull();
  rmSync(file);
  expect(await held()).toBeNull();
});
