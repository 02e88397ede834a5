import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { anyText } from "@trivault/testkit/any-text";
import fc from "fast-check";
import {
  backupKey,
  backupPrefix,
  databaseOf,
  directoryOf,
  type Key,
  parseKey,
  RECOVERY_KEY,
  segmentName,
  splitKey,
  toKey,
} from "./keys.ts";

const ID = "20261123t020000z-7f3k9xq2";
const FILES = [
  "manifest.json",
  "data-000001.zst.age",
  "data-999999.zst",
  "globals.zst.age",
  "globals.zst",
  "details.zst.age",
  "details.zst",
];
const invalid = expect.objectContaining({ code: "INPUT_INVALID", permanent: true });

/** Names as PostgreSQL allows them: any characters, up to 63 bytes. */
const databaseName = anyText({ minLength: 1, maxLength: 63 }).filter((name) => Buffer.byteLength(name) <= 63);

describe("keys", () => {
  test.each(FILES)("%s of a backup is one, and comes apart again", (file) => {
    const key = backupKey("shop", ID, file);
    expect(key).toBe(`shop/${ID}/${file}`);
    expect(parseKey(key)).toBe(key);
    expect(splitKey(key)).toEqual({ directory: "shop", backupId: ID, file });
  });

  test("RECOVERY.md is one, outside any backup", () => {
    expect(parseKey("RECOVERY.md")).toBe(RECOVERY_KEY);
    expect(splitKey(RECOVERY_KEY)).toBeNull();
  });

  test.each([
    "",
    ".",
    "..",
    "/",
    "RECOVERY.md/",
    "recovery.md",
    "/RECOVERY.md",
    "./RECOVERY.md",
    `shop/${ID}`,
    `shop/${ID}/`,
    `shop/${ID}/manifest.json/`,
    `shop/${ID}/manifest.json\n`,
    `shop/${ID}/manifest.json\0`,
    `shop/${ID}/.manifest.json`,
    `shop/${ID}/MANIFEST.json`,
    `shop/${ID}/manifest.json.tmp`,
    `shop/${ID}/data-1.zst`,
    `shop/${ID}/data-0000001.zst`,
    `shop/${ID}/data-000001.age`,
    `shop/${ID}/data-000001.zst.age.age`,
    `shop/${ID}/../manifest.json`,
    `shop//manifest.json`,
    `shop/x/manifest.json`,
    `shop\\${ID}\\manifest.json`,
    `../shop/${ID}/manifest.json`,
    `/shop/${ID}/manifest.json`,
    `a/shop/${ID}/manifest.json`,
    `../${ID}/manifest.json`,
    `./${ID}/manifest.json`,
    `/${ID}/manifest.json`,
    `.trivault/${ID}/manifest.json`,
    `a.b/${ID}/manifest.json`,
    `-rf/${ID}/manifest.json`,
    `Shop/${ID}/manifest.json`,
    `müller/${ID}/manifest.json`,
    `~61/${ID}/manifest.json`,
    `~4/${ID}/manifest.json`,
    `~4G/${ID}/manifest.json`,
    `~ff/${ID}/manifest.json`,
    `${"a".repeat(201)}/${ID}/manifest.json`,
  ])("%j is none", (text) => {
    expect(parseKey(text)).toBeNull();
    expect(() => toKey(text)).toThrow(invalid);
  });

  test("lie inside their backup, whatever the database is called and whatever file is asked for", () => {
    fc.assert(
      fc.property(databaseName, fc.oneof(fc.constantFrom(...FILES), anyText()), (database, file) => {
        let key: Key;
        try {
          key = backupKey(database, ID, file);
        } catch (error) {
          expect(error).toEqual(invalid);
          expect(FILES).not.toContain(file);
          return;
        }
        expect(key.startsWith(backupPrefix(database, ID))).toBe(true);
        expect(key.startsWith(backupPrefix(database))).toBe(true);
        expect(path.posix.normalize(`/tier/${key}`)).toBe(`/tier/${key}`);
        expect(key).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });

  test.each([
    [() => segmentName("data", 1, true), "data-000001.zst.age"],
    [() => segmentName("data", 123_456, false), "data-123456.zst"],
    [() => segmentName("globals", null, true), "globals.zst.age"],
    [() => segmentName("details", null, false), "details.zst"],
  ])("segments are named so that they are keys (%#)", (make, name) => {
    expect(make()).toBe(name);
    expect(parseKey(`shop/${ID}/${name}`)).not.toBeNull();
  });

  test("a segment past the millionth has no key", () => {
    expect(() => backupKey("shop", ID, segmentName("data", 1_000_000, true))).toThrow(invalid);
  });
});

describe("the directory of a database", () => {
  test.each([
    ["shop", "shop"],
    ["shop_2-eu", "shop_2-eu"],
    ["-rf", "~2drf"],
    ["Shop", "~53hop"],
    ["a.b", "a~2eb"],
    ["..", "~2e~2e"],
    ["a/b", "a~2fb"],
    ["~61", "~7e61"],
    ["ü", "~c3~bc"],
    ["con nul", "con~20nul"],
  ])("of %j is %s", (database, directory) => {
    expect(directoryOf(database)).toBe(directory);
    expect(databaseOf(directory)).toBe(database);
  });

  test("exists for every name PostgreSQL allows, and gives the name back", () => {
    fc.assert(
      fc.property(databaseName, (name) => expect(databaseOf(directoryOf(name))).toBe(name)),
      { numRuns: 300 },
    );
    const longest = "Ü".repeat(31);
    expect(databaseOf(directoryOf(longest))).toBe(longest);
  });

  test("is not shared by two names, even where file names ignore case", () => {
    fc.assert(
      fc.property(databaseName, databaseName, (a, b) => {
        fc.pre(a !== b);
        expect(directoryOf(a).toLowerCase()).not.toBe(directoryOf(b).toLowerCase());
      }),
    );
  });

  test("is made by directoryOf alone: whatever databaseOf accepts goes back to the same directory", () => {
    const nearly = fc.array(
      fc.constantFrom("a", "-", "_", "~", "~2", "~2d", "~41", "~61", "~c3", "~bc", "~ff", ".", "Z", "ü"),
    );
    fc.assert(
      fc.property(nearly, (parts) => {
        const directory = parts.join("");
        const database = databaseOf(directory);
        if (database !== null) expect(directoryOf(database)).toBe(directory);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["empty", ""],
    ["too long", "Ü".repeat(40)],
    ["half a surrogate pair", "a\ud800"],
  ])("does not exist for a name that is %s", (_, name) => {
    expect(() => directoryOf(name)).toThrow(invalid);
  });
});
