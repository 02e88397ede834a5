import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { connect, parseDatabaseUrl } from "@trivault/postgres";
import { expectNoLeaks, freePort } from "@trivault/testkit";
import { type CliOptions, expectRefusal, filesIn, type Fixture, makeFixture } from "./testing/fixture.ts";
import { type Ended, printed } from "./testing/spawn-cli.ts";

/** What an operator gets wrong, or meets: `run --inline` says so, fails, leaves nothing and touches no older backup. */
let site: Fixture;
let id: string;
let before: string[];
let remoteBefore: string[];
let settle: () => Promise<void>;
beforeAll(async () => {
  site = await makeFixture(9);
  const { code, stdout } = await site.cli("run --inline --json");
  expect(code).toBe(0);
  id = JSON.parse(stdout).backupId;
  before = await filesIn(site.backupDir);
  remoteBefore = await filesIn(site.remote.directory);
}, 120_000);
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});
beforeEach(() => {
  settle = expectNoLeaks();
});
afterEach(async () => {
  await settle();
  expect(await filesIn(site.backupDir)).toEqual(before);
  expect(await filesIn(site.spoolDir)).toEqual([]);
  expect(await filesIn(site.remote.directory)).toEqual(remoteBefore);
});

const run = (options: CliOptions = {}): Promise<Ended> => site.cli("run --inline", options);
const withUrl = (change: (url: URL) => void): CliOptions => {
  const url = new URL(site.sourceUrl);
  change(url);
  return { env: { DATABASE_URL: url.href } };
};
const FAILED = "failed; nothing of it is left.\n";

describe("the database", () => {
  test("does not answer", async () => {
    const port = await freePort();
    const ended = await run(withUrl((url) => (url.port = String(port))));
    expectRefusal(ended, /^dump failed: .*127\.0\.0\.1.*/);
    expect(ended.stdout).toContain(FAILED);
  });

  test("refuses the password", async () => {
    const ended = await run(withUrl((url) => (url.password = "wrong-Geheim1")));
    expectRefusal(ended, /^dump failed: .*password/i);
    expect(ended.stdout + ended.stderr).not.toContain("wrong-Geheim1");
  });

  test("does not exist", async () => {
    expectRefusal(await run(withUrl((url) => (url.pathname = "/no_such_shop"))), /^dump failed: .*no_such_shop/);
  });

  test("with --json the failure is in the one object", async () => {
    const ended = await site.cli(
      "run --inline --json",
      withUrl((url) => (url.pathname = "/no_such_shop")),
    );
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: false,
      stages: [{ stage: "dump", state: "failed", problem: expect.stringContaining("no_such_shop") }, {}, {}],
    });
  });
});

describe("pg_dump", () => {
  const binDir = () => path.join(site.folder, "bin");
  afterEach(() => rm(binDir(), { recursive: true, force: true }));

  test("is older than the server", async () => {
    await mkdir(binDir());
    for (const name of ["pg_dump", "pg_restore", "psql"]) {
      await writeFile(path.join(binDir(), name), `#!/bin/sh\necho "${name} (PostgreSQL) 9.6.24"\n`, { mode: 0o755 });
    }
    const { major } = site.postgres;
    const ended = await run({ env: { BACKUP_PG_BIN_DIR: binDir() } });
    expectRefusal(ended, new RegExp(`^dump failed: .*PostgreSQL ${major}.*9\\.6\\.24.*postgresql-client-${major}`));
  });

  test("is not there", async () => {
    const ended = await run({ env: { BACKUP_PG_BIN_DIR: binDir() } });
    expectRefusal(ended, /^dump failed: No working pg_dump was found in .*BACKUP_PG_BIN_DIR/);
  });

  test("fails late: what was dumped so far never becomes a backup", async () => {
    await mkdir(binDir());
    for (const name of ["pg_dump", "pg_restore", "psql"]) {
      const real = path.join(site.postgres.binDir, name);
      const then = name === "pg_dump" ? '[ "$1" = --version ] || { sleep 1; exit 3; }' : "";
      await writeFile(path.join(binDir(), name), `#!/bin/sh\n"${real}" "$@"\n${then}\n`);
      await chmod(path.join(binDir(), name), 0o755);
    }
    expectRefusal(await run({ env: { BACKUP_PG_BIN_DIR: binDir() } }), /^dump failed: .*pg_dump .*3/);
  });
});

describe("folders and keys", () => {
  test("BACKUP_DIR cannot be written", async () => {
    const file = path.join(site.folder, "a-file");
    await writeFile(file, "");
    const ended = await run({ env: { BACKUP_DIR: path.join(file, "backups") } });
    expectRefusal(ended, /^BACKUP_DIR .*a-file\/backups cannot be written/);
    expect(ended.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("the recipient is malformed", async () => {
    const ended = await run({ env: { BACKUP_ENCRYPTION_RECIPIENTS: `age1${"q".repeat(58)}` } });
    expectRefusal(ended, /is not a valid age recipient/);
  });

  test("the identity file of a restore is missing, or open to others", async () => {
    const identityFile = path.join(site.folder, "open.txt");
    const env = { BACKUP_IDENTITY_FILE: identityFile, BACKUP_RESTORE_TARGET: site.postgres.urlOf("never") };
    expectRefusal(await site.cli("restore --database shop", { env }), /open\.txt does not exist/);
    await writeFile(identityFile, await readFile(site.identityFile), { mode: 0o644 });
    expectRefusal(await site.cli("restore --database shop", { env }), /chmod 600/);
  });
});

describe("the target of a restore", () => {
  const restore = (targetUrl: string, line = "restore --database shop") =>
    site.cli(line, { env: { BACKUP_IDENTITY_FILE: site.identityFile, BACKUP_RESTORE_TARGET: targetUrl } });

  test("is no URL, has a wrong password, or no server", async () => {
    expectRefusal(await restore("shop"), /The database URL cannot be used/);
    const login = { user: "postgres", password: "wrong-Geheim2" };
    expectRefusal(await restore(site.postgres.urlOf("never", login)), /password/i);
    expectRefusal(await restore(`postgresql://u:wrong-Geheim2@127.0.0.1:${await freePort()}/never`), /127\.0\.0\.1/);
    expect(printed.join("")).not.toContain("wrong-Geheim2");
  });

  test("9.A3 cannot be served by the programs that are here: the database made for it is dropped, and its note taken back", async () => {
    const env = {
      BACKUP_IDENTITY_FILE: site.identityFile,
      BACKUP_RESTORE_TARGET: site.postgres.urlOf("never"),
      BACKUP_PG_BIN_DIR: path.join(site.folder, "nothing"),
    };
    expectRefusal(await site.cli("restore --database shop", { env }), /No working pg_dump was found/);
    expect(await site.postgres.query("SELECT FROM pg_database WHERE datname = 'never'")).toEqual([]);
  });

  test("there is no such backup, database or tier", async () => {
    const url = site.postgres.urlOf("never");
    expectRefusal(await restore(url, "restore --database other"), /No complete backup of .*"other"/);
    expectRefusal(await restore(url, "restore --database shop --from tape"), /No tier named "tape".*local, remote/);
    const missing = "restore --database shop --backup 20200101t000000z-00000000";
    expectRefusal(await restore(url, missing), /No complete backup 20200101t000000z-00000000/);
  });
});

test("9.A5 a backup signed by a stranger is restored only by its id and with --allow-unsigned", async () => {
  const bare = path.join(site.folder, "stranger");
  const identityFile = path.join(bare, "identity.txt");
  await mkdir(bare);
  // The same key to open with, without the line that says whose backups to trust.
  const text = (await readFile(site.identityFile, "utf8")).replace(/^# signing public key.*\n/m, "");
  await writeFile(identityFile, text, { mode: 0o600 });
  const env = {
    BACKUP_DIR: bare,
    BACKUP_IDENTITY_FILE: identityFile,
    BACKUP_RESTORE_TARGET: site.postgres.urlOf("from_stranger"),
  };
  expectRefusal(
    await site.cli("restore --database shop", { env }),
    /signed by a key that is not known here.*--backup ID --allow-unsigned/,
  );
  expectRefusal(await site.cli("restore --database shop --allow-unsigned", { env }), /never the latest/);
  expect(await site.postgres.query("SELECT FROM pg_database WHERE datname = 'from_stranger'")).toEqual([]);
  expect((await site.cli(`show ${id}`, { env })).stdout).toMatch(/^remote +untrusted .*unknown-key$/m);
  expect((await site.cli("verify --tier remote", { env })).code).toBe(1);
  expect((await site.cli("verify --tier remote --allow-unsigned", { env })).code).toBe(0);
  expect((await site.cli(`restore --database shop --backup ${id} --allow-unsigned`, { env })).code).toBe(0);
});

describe("an interruption", () => {
  /** A lock that pg_dump waits for keeps the backup where it is. */
  async function whileLocked(use: () => Promise<void>): Promise<void> {
    const client = await connect(parseDatabaseUrl(site.sourceUrl));
    try {
      await client.query("BEGIN; LOCK TABLE public.products IN ACCESS EXCLUSIVE MODE");
      await use();
    } finally {
      await client.end();
    }
  }

  test.each<[NodeJS.Signals, number]>([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("by %s ends a backup in order, and nothing of it is left", async (signal, code) => {
    await whileLocked(async () => {
      const started = site.start("run --inline");
      await started.says("dumping shop");
      started.kill(signal);
      started.kill(signal); // npm passes on what the terminal has sent already
      const ended = await started.ended;
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({
        code,
        stderr: expect.stringMatching(new RegExp(`dumping shop[^]*Stopped by ${signal}\\.\n$`)),
      });
    });
  });
});

test("no password was printed", () => {
  expect(printed.join("\n").includes(site.postgres.password)).toBe(false);
});
