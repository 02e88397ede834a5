import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { type Ended, runCli } from "./testing/spawn-cli.ts";

const ID = "20261123t020000z-7f3k9xq2";
let dir: TempDir;
let env: Readonly<Record<string, string>>;

beforeEach(async () => {
  dir = await makeTempDir("tv-keep");
  env = { BACKUP_DIR: dir.path, DATABASE_URL: "postgresql://nobody:geheim@127.0.0.1:1/shop" };
  expect(await runCli(["site", "new"], { cwd: dir.path, env })).toMatchObject({ code: 0 });
  await mkdir(path.join(dir.path, "shop", ID), { recursive: true });
  await writeFile(path.join(dir.path, "shop", ID, "manifest.json"), "{}");
});
afterEach(() => dir.remove());

/** Words of a line; what is quoted is one. */
function keep(line: string, changes: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
  return runCli(["keep", ...words], { cwd: dir.path, env: { ...env, ...changes } });
}

async function recorded(): Promise<unknown[]> {
  const folder = path.join(dir.path, ".trivault/audit");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".jsonl") || name.endsWith(".ndjson"));
  const texts = await Promise.all(files.map((name) => readFile(path.join(folder, name), "utf8")));
  return texts.flatMap((text) => text.trim().split("\n")).map((line) => JSON.parse(line));
}

test("a backup is held, listed and released, and all of it stands in the audit log", async () => {
  expect(await keep(`add ${ID} --reason "lawsuit 4711"`)).toEqual({
    code: 0,
    stdout: `${ID} of shop is held on all tiers: lawsuit 4711\n`,
    stderr: "",
  });
  const listed = await keep("list --json");
  const { held, acceptedSizes, problems } = JSON.parse(listed.stdout);
  expect(held).toEqual([
    {
      backupId: ID,
      database: "shop",
      reason: "lawsuit 4711",
      actor: expect.stringMatching(/^user:.+@.+/),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    },
  ]);
  expect([acceptedSizes, problems]).toEqual([[], []]);
  expect((await keep("list")).stdout).toMatch(new RegExp(`^BACKUP .*REASON\n${ID}  shop .* user:.*  lawsuit 4711\n$`));

  const released = await keep(`remove ${ID} --json`);
  expect(JSON.parse(released.stdout)).toEqual({
    database: "shop",
    backupId: ID,
    released: true,
    reason: "lawsuit 4711",
  });
  expect((await keep("list")).stdout).toBe("No backup is held.\n");
  expect(await recorded()).toMatchObject([
    { action: "site.begun" },
    { action: "keep.marked", outcome: "ok", database: "shop", backupId: ID, details: { reason: "lawsuit 4711" } },
    { action: "keep.released", outcome: "ok", actor: held[0].actor, details: { reason: "lawsuit 4711" } },
  ]);
}, 60_000);

test("a size is accepted from a backup on", async () => {
  expect(await keep(`accept-size --from ${ID}`)).toMatchObject({ code: 0, stderr: "" });
  expect((await keep("list")).stdout).toBe(`No backup is held.\n\nSIZE ACCEPTED OF  FROM\nshop              ${ID}\n`);
  expect(await recorded()).toMatchObject([
    { action: "site.begun" },
    { action: "size.accepted", database: "shop", backupId: ID },
  ]);
}, 60_000);

const REFUSED: readonly [string, Readonly<Record<string, string>>, number, RegExp][] = [
  [
    "add 20261123t020001z-7f3k9xq2 --reason x",
    {},
    1,
    /No complete backup 20261123t020001z-7f3k9xq2 of the database "shop"/,
  ],
  [
    `add ${ID} --database other --reason x`,
    {},
    1,
    /of the database "other" was found\. There are backups of: shop|"other" was found/,
  ],
  [`add ${ID}`, {}, 2, /required option '--reason/],
  [`add ${ID} --reason ""`, {}, 2, /It is empty/],
  ["add latest --reason x", {}, 2, /Expected a backup id such as/],
  [`remove ${ID}`, {}, 1, /is not held, so there is nothing to release\. See npm run backup:keep:list/],
  ["accept-size --from yesterday", {}, 2, /Expected a backup id such as/],
  [`add ${ID} --reason x`, { DATABASE_URL: "" }, 1, /Say which database: --database NAME/],
];

test("what is mistyped, unknown or not marked is refused, and nothing is marked", async () => {
  // Side by side: most of the time goes into starting processes.
  const ended = await Promise.all(REFUSED.map(([line, changes]) => keep(line, changes)));
  for (const [index, { code, stdout, stderr }] of ended.entries()) {
    const [line, , expected, reason] = REFUSED[index] ?? [];
    expect({ line, code, stdout, stderr }).toEqual({
      line,
      code: expected,
      stdout: "",
      stderr: expect.stringMatching(reason ?? ""),
    });
  }
  await expect(readdir(path.join(dir.path, ".trivault/marks"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a mark that cannot be read is reported by list, which fails", async () => {
  await mkdir(path.join(dir.path, ".trivault/marks/keep"), { recursive: true });
  await writeFile(path.join(dir.path, ".trivault/marks/keep", `${ID}.json`), "{");
  const ended = await keep("list --json");
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout).problems).toEqual([expect.stringMatching(/cannot be read .*so nothing is deleted/)]);
});
