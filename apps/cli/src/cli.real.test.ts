import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { digestDatabase, parseDatabaseUrl } from "@trivault/postgres";
import { freePort } from "@trivault/testkit";
import { printed } from "./testing/spawn-cli.ts";
import { expectRefusal, type Fixture, filesIn, flip, makeFixture, recordedBy } from "./testing/fixture.ts";

let site: Fixture;
let id: string;
beforeAll(async () => {
  site = await makeFixture(12);
  const { code, stdout, stderr } = await site.cli("run --inline --json");
  const run = JSON.parse(stdout);
  expect({ code, run, stderr }).toMatchObject({
    code: 0,
    run: {
      mode: "inline",
      database: "shop",
      ok: true,
      stages: [
        { stage: "dump", tier: null, state: "completed", problem: null },
        { stage: "encrypt", tier: null, state: "completed", problem: null },
        { stage: "copy", tier: "remote", state: "completed", problem: null },
      ],
    },
    stderr: expect.stringContaining("copy to remote: done"),
  });
  id = run.backupId;
}, 120_000);
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

const reading = () => ({ BACKUP_IDENTITY_FILE: site.identityFile });
const target = (database: string) => ({ BACKUP_RESTORE_TARGET: site.postgres.urlOf(database) });
const digest = (database: string) => digestDatabase(parseDatabaseUrl(site.postgres.urlOf(database)));
const databases = async () =>
  (await site.postgres.query("SELECT datname FROM pg_database")).map((row) => row["datname"]);
const recorded = (actions: string, env: Readonly<Record<string, string>> = {}) =>
  recordedBy((line) => site.cli(line, { env }), actions);

test("a backup leaves its copies and nothing else", async () => {
  expect(await filesIn(site.spoolDir)).toEqual([]);
  const here = (await filesIn(site.backupDir)).filter((file) => !file.startsWith(".trivault"));
  expect(here).toEqual((await filesIn(site.remote.directory)).filter((file) => !file.startsWith("SITE-")));
  expect(here).toEqual(
    expect.arrayContaining(["RECOVERY.md", `shop/${id}/data-000003.zst.age`, `shop/${id}/manifest.json`]),
  );
});

test("list shows it on both tiers", async () => {
  const { code, stdout, stderr } = await site.cli("list");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [headings, row] = stdout.split("\n");
  expect(headings).toMatch(/^BACKUP +DATABASE +STARTED +AGE +SIZE +LOCAL +REMOTE$/);
  expect(row).toMatch(new RegExp(`^${id} +shop +20.* UTC +\\d+ (?:s|min) ago +[\\d.]+ [KM]iB +yes +yes$`));
  const json = JSON.parse((await site.cli("list --database shop --json")).stdout);
  expect(json).toMatchObject({ backups: [{ id, copies: [{ complete: true }, { complete: true }] }], unreachable: [] });
  expect((await site.cli("list --database other")).stdout).toBe("No backups were found.\n");
});

test("show prints what the manifest says and whose it is, and a restore command that is whole", async () => {
  const { code, stdout } = await site.cli(`show ${id}`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Server +PostgreSQL \d+/m);
  expect(stdout).toMatch(/^Made with +trivault .*pg_dump .*zstd /m);
  expect(stdout).toMatch(/^local +complete .*trusted$/m);
  expect(stdout).toMatch(/^remote +complete .*trusted$/m);
  expect(stdout).toContain(`npm run backup:restore -- --database shop --backup ${id} --from any --target -`);
  const json = JSON.parse((await site.cli(`show ${id} --json`)).stdout);
  expect(json).toMatchObject({ id, manifest: { id, encryption: "age" }, copies: [{ signature: "trusted" }, {}] });
  expectRefusal(await site.cli("show 20200101t000000z-00000000"), /No complete backup 20200101t000000z-00000000 of/);
});

test("verify reads all of it on both tiers", async () => {
  const { code, stdout } = await site.cli("verify --backup all --json");
  expect(code).toBe(0);
  const { good, copies } = JSON.parse(stdout);
  expect(good).toBe(true);
  expect(copies).toMatchObject([
    { backupId: id, tier: "local", state: "good", problems: [] },
    { backupId: id, tier: "remote", state: "good", problems: [] },
  ]);
  const { segments } = JSON.parse(
    await readFile(path.join(site.backupDir, "shop", id, "manifest.json"), "utf8"),
  ).manifest;
  expect(copies[0].bytes).toBe(segments.reduce((sum: number, segment: { size: number }) => sum + segment.size, 0));
});

test("restore brings back every row, the target's URL from stdin", async () => {
  const options = { env: reading(), stdin: `${site.postgres.urlOf("from_any")}\n` };
  const { code, stdout } = await site.start("restore --database shop --target -", options).ended; // a real pipe
  expect(stdout).toMatch(
    /is restored into the new database from_any\.\n.*segments: \d+ from local\.\n.*all \d+ tables equal/,
  );
  expect(code).toBe(0);
  expect(await digest("from_any")).toEqual(await digest("shop"));
});

test("a bare machine restores from the remote tier with the identity file alone", async () => {
  const bare = path.join(site.folder, "bare");
  const env = {
    ...reading(),
    ...target("from_remote"),
    DATABASE_URL: "",
    BACKUP_ENCRYPTION_RECIPIENTS: "",
    BACKUP_DIR: bare,
    BACKUP_SPOOL_DIR: path.join(bare, "spool"),
  };
  const { code, stdout } = await site.cli(`restore --database shop --backup ${id} --from remote --jobs 2 --json`, {
    env,
  });
  expect({ code, result: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    result: {
      backupId: id,
      target: "from_remote",
      created: true,
      damage: [],
      segmentsFrom: { remote: expect.any(Number) },
    },
  });
  expect(await digest("from_remote")).toEqual(await digest("shop"));
  expect((await filesIn(bare)).filter((file) => !file.startsWith(".trivault/audit/"))).toEqual([]);
  expect(await recorded("backup.restored", { ...env, BACKUP_DIR: bare })).toMatchObject([
    { outcome: "ok", database: "shop", backupId: id, details: { from: "remote", damaged: 0 } },
  ]);
});

test("a target that is not empty is refused and untouched; --force replaces what it holds", async () => {
  await site.postgres.query("CREATE DATABASE taken TEMPLATE shop");
  await site.postgres.query("DELETE FROM reviews; UPDATE products SET name = 'changed'", "taken");
  const env = { ...reading(), ...target("taken") };
  const before = await digest("taken");
  expectRefusal(await site.cli("restore --database shop", { env }), /is not empty: .*public\..*--force/);
  expect(await digest("taken")).toEqual(before);
  const forced = await site.cli("restore --database shop --force", { env });
  expect(forced).toMatchObject({ code: 0, stdout: expect.stringContaining("is restored into taken.") });
  expect(await digest("taken")).toEqual(await digest("shop"));
});

test("the wrong identity opens nothing and makes no database", async () => {
  const identityFile = path.join(site.folder, "other-identity.txt");
  expect((await site.cli(`keys generate --identity-file ${identityFile}`)).code).toBe(0);
  const env = { BACKUP_IDENTITY_FILE: identityFile, ...target("wrong_identity") };
  expectRefusal(await site.cli("restore --database shop", { env }), /identit/i);
  expectRefusal(
    await site.cli("restore --database shop", { env: target("wrong_identity") }),
    /set BACKUP_IDENTITY_FILE/,
  );
  expect(await databases()).not.toContain("wrong_identity");
});

describe("a damaged segment", () => {
  const damaged = () => path.join(site.backupDir, "shop", id, "data-000002.zst.age");
  beforeAll(() => flip(damaged(), 5000));
  afterAll(async () => {
    await flip(damaged(), 5000);
    await site.cli("verify --tier local"); // it counts as damaged until somebody has seen that it is not
  });

  test("is found by verify, by name", async () => {
    const { code, stdout, stderr } = await site.cli("verify");
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^${id} +local +damaged `, "m"));
    expect(stdout).toMatch(new RegExp(`^${id} +remote +good `, "m"));
    expect(stderr).toMatch(/on local is damaged: data-000002\.zst\.age /);
    expect((await site.cli(`verify --tier remote --backup ${id}`)).code).toBe(0);
  });

  test("ends a restore from that tier, and the target that was made is dropped", async () => {
    const ended = await site.cli("restore --database shop --from local", {
      env: { ...reading(), ...target("broken") },
    });
    expectRefusal(ended, /No tier has a good data-000002\.zst\.age/);
    expect(await databases()).not.toContain("broken");
  });

  test("comes from another tier in a restore from any, which says so", async () => {
    const env = { ...reading(), ...target("healed") };
    const { code, stdout } = await site.cli("restore --database shop --json", { env });
    expect({ code, result: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      result: { segmentsFrom: { local: expect.any(Number), remote: 1 }, damage: [{ tier: "local" }] },
    });
    expect(await digest("healed")).toEqual(await digest("shop"));
  });
});

describe("a manifest that was changed", () => {
  const manifest = () => path.join(site.backupDir, "shop", id, "manifest.json");
  let original: string;
  beforeAll(async () => {
    original = await readFile(manifest(), "utf8");
    await writeFile(manifest(), original.replace('"trivault": "', '"trivault": "9'));
  });
  afterAll(() => writeFile(manifest(), original));

  test("is believed by nobody", async () => {
    expect((await site.cli(`show ${id}`)).stdout).toMatch(/^local +untrusted .*bad-signature$/m);
    const verified = await site.cli("verify --tier local --allow-unsigned");
    expect({ code: verified.code, stderr: verified.stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/manifest\.json .*changed after it was signed/),
    });
    const env = { ...reading(), ...target("forged") };
    expectRefusal(await site.cli("restore --database shop --from local", { env }), /changed after it was signed/);
    expect(await databases()).not.toContain("forged");
  });
});

test("a tier that cannot be reached is reported, and never taken for empty or good", async () => {
  const env = { BACKUP_REMOTE_SERVER: `127.0.0.1:${await freePort()}` };
  const listed = await site.cli("list", { env });
  expect(listed.code).toBe(0);
  expect(listed.stdout).toMatch(new RegExp(`^${id} .* yes +\\?$`, "m"));
  expect(listed.stderr).toMatch(/^The tier remote could not be asked: /);
  const verified = await site.cli("verify --json", { env });
  expect({ code: verified.code, ...JSON.parse(verified.stdout) }).toMatchObject({
    code: 1,
    good: false,
    copies: [{ state: "good" }, { state: "unknown" }],
  });
  expectRefusal(
    await site.cli("restore --database shop --from remote", { env: { ...env, ...reading(), ...target("x") } }),
    /could not be asked/,
  );
});

test("a folder that cannot be written makes no restore fail, and is one line on stderr", async () => {
  const env = { ...reading(), ...target("unrecorded"), BACKUP_DIR: "/proc/trivault", DATABASE_URL: "" };
  const { code, stderr } = await site.cli("restore --database shop --from remote", { env });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^Warning: this is not in the audit log/m),
  });
  expect(stderr.match(/Warning/g)).toHaveLength(1);
});

test("all of it stands in the audit log: who, what, how it ended, and no secret", async () => {
  const run = await recorded("backup.dump,backup.encrypt,backup.copy");
  expect(run).toMatchObject([
    {
      action: "backup.dump",
      outcome: "ok",
      database: "shop",
      backupId: id,
      actor: expect.stringMatching(/^user:.+@.+$/),
    },
    { action: "backup.encrypt", outcome: "ok", bytes: expect.any(Number), seconds: expect.any(Number) },
    { action: "backup.copy", outcome: "ok", tier: "remote" },
  ]);
  expect(await recorded("backup.verified")).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ outcome: "ok", tier: "local", backupId: id }),
      expect.objectContaining({
        outcome: "failed",
        tier: "local",
        error: expect.objectContaining({ code: "DAMAGED" }),
      }),
    ]),
  );
  expect(await recorded("backup.restored")).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ outcome: "ok", details: expect.objectContaining({ segments: expect.any(String) }) }),
      expect.objectContaining({ outcome: "refused", error: expect.objectContaining({ code: "TARGET_NOT_EMPTY" }) }),
      expect.objectContaining({ outcome: "failed", error: expect.objectContaining({ code: expect.any(String) }) }),
    ]),
  );
  const { code, stdout } = await site.cli("audit verify");
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^The audit log is whole: \d+ events/) });
});

test("no command printed a password or a secret key", async () => {
  const identity = /AGE-SECRET-KEY-\w+/.exec(await readFile(site.identityFile, "utf8"))?.[0] ?? "";
  const all = printed.join("\n");
  expect(all).toContain(id);
  expect(identity).not.toBe("");
  expect(all.includes(site.postgres.password)).toBe(false);
  expect(all.includes("AGE-SECRET-KEY-1")).toBe(false);
  expect(all.includes("PRIVATE KEY")).toBe(false);
});
