import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Config } from "@trivault/core";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { acceptSize, loadMarks, markKept, releaseKept } from "./marks.ts";

let dir: TempDir;
let config: Pick<Config, "backupDir" | "tiers">;
const ref = { database: "Müller", backupId: "20261123t020000z-7f3k9xq2" };
const mark = { reason: 'lawsuit "4711"', actor: "user:ada@host", at: new Date("2026-11-23T10:00:00Z") };
const marks = (...names: string[]) => path.join(dir.path, ".trivault/marks", ...names);

beforeEach(async () => {
  dir = await makeTempDir();
  config = { backupDir: dir.path, tiers: [] };
});
afterEach(() => dir.remove());

test("what was marked is read back, until it is released", async () => {
  expect(await loadMarks(config)).toEqual({
    keep: new Map(),
    acceptedFrom: new Map(),
    rules: new Map(),
    gone: new Set(),
    problems: [],
  });
  await markKept(config, ref, mark);
  await acceptSize(config, "Müller", ref.backupId);
  expect(await loadMarks(config)).toEqual({
    keep: new Map([[ref.backupId, { database: "Müller", ...mark }]]),
    acceptedFrom: new Map([["Müller", ref.backupId]]),
    rules: new Map(),
    gone: new Set(),
    problems: [],
  });
  await markKept(config, ref, { ...mark, reason: "audit" });
  expect((await loadMarks(config)).keep.get(ref.backupId)?.reason).toBe("audit");
  expect(await releaseKept(config, ref)).toBe(true);
  expect(await releaseKept(config, ref)).toBe(false);
  expect((await loadMarks(config)).keep.size).toBe(0);
});

test("marks are for this user alone, and nothing half written is left", async () => {
  await markKept(config, ref, mark);
  const [name = "", ...others] = await readdir(marks("keep"));
  expect([name, others]).toEqual([`${ref.backupId}.json`, []]);
  expect((await stat(marks("keep", name))).mode & 0o777).toBe(0o600);
  expect((await stat(marks("keep"))).mode & 0o777).toBe(0o700);
});

test.each([
  ["keep", `${ref.backupId}.json`, "{"],
  ["keep", `${ref.backupId}.json`, '{ "database": "shop" }'],
  ["keep", "important.json", JSON.stringify({ database: "shop", ...mark })],
  ["accepted-size", "shop.json", '{ "backupId": "../../etc" }'],
  ["accepted-size", "Shop.json", JSON.stringify({ backupId: ref.backupId })],
])("%s/%s that cannot be read is reported: %s", async (kind, name, content) => {
  await mkdir(marks(kind), { recursive: true });
  await writeFile(marks(kind, name), content);
  const { problems, keep, acceptedFrom } = await loadMarks(config);
  expect(problems).toEqual([expect.stringContaining(`The mark ${marks(kind, name)} cannot be read`)]);
  expect([keep.size, acceptedFrom.size]).toEqual([0, 0]);
});

test("a folder of marks that cannot be entered is a problem, and a temporary file that a crash left is none", async () => {
  await mkdir(marks("keep"), { recursive: true });
  await writeFile(marks("keep", `${ref.backupId}.json.0b0c`), "{");
  expect((await loadMarks(config)).problems).toEqual([]);
  await writeFile(marks("accepted-size"), "a file");
  expect((await loadMarks(config)).problems).toEqual([expect.stringMatching(/ENOTDIR.*nothing is deleted/)]);
});
