import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { digestDatabase, parseDatabaseUrl, type TableDigest } from "@trivault/postgres";
import { filesIn, type Fixture, makeFixture } from "../apps/cli/src/testing/fixture.ts";

const run = promisify(execFile);
/** Version 1 made its dumps the day before. */
const YESTERDAY = new Date(Date.now() - 86_400_000);

let site: Fixture;
let source: TableDigest[];
let dumps: Map<string, Buffer>;
beforeAll(async () => {
  site = await makeFixture(8);
  await site.postgres.query("CREATE ROLE shopkeeper");
  await site.postgres.query(
    "ALTER TABLE orders OWNER TO shopkeeper; SELECT lo_from_bytea(0, decode(repeat('00ff', 50000), 'hex'))",
    "shop",
  );
  source = await digest("shop");
  const args = { custom: ["-Fc"], tar: ["-Ft"], plain: ["-Fp"], created: ["-Fp", "--create", "--clean"] };
  const made = Object.entries(args).map(async ([name, each]): Promise<[string, Buffer]> => {
    const file = path.join(site.folder, name);
    await run(path.join(site.postgres.binDir, "pg_dump"), [...each, "-d", site.sourceUrl, "-f", file]);
    return [name, await readFile(file)];
  });
  dumps = new Map(await Promise.all(made));
});
afterAll(async () => site?.[Symbol.asyncDispose]());

const digest = (database: string) => digestDatabase(parseDatabaseUrl(site.postgres.urlOf(database)));
const dump = (name: string) => dumps.get(name) ?? Buffer.alloc(0);

let folders = 0;
/** A BACKUP_DIR as version 1 left it. */
async function version1(files: Readonly<Record<string, Uint8Array>>): Promise<Record<string, string>> {
  const folder = path.join(site.folder, `version-1-${++folders}`);
  for (const [name, bytes] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
    await utimes(file, YESTERDAY, YESTERDAY);
  }
  return {
    BACKUP_DIR: folder,
    BACKUP_REMOTE_SERVER: "",
    BACKUP_REMOTE_DIR: "",
    BACKUP_IDENTITY_FILE: site.identityFile,
  };
}

const plaintexts = async ({ BACKUP_DIR = "" }) =>
  (await filesIn(BACKUP_DIR)).filter((file) => !/^\.trivault|^RECOVERY\.md$|\/\d{8}t\d{6}z-\w{8}\//.test(file));

interface Listed {
  file: string;
  state: string;
  backupId: string;
  database: string;
  removed: boolean;
}
async function adopt(env: Record<string, string>, options = "--yes") {
  const { code, stdout, stderr } = await site.cli(`encrypt auto ${options} --json`, { env });
  const json = JSON.parse(stdout) as {
    dumps: Listed[];
    refused: { file: string; reason: string }[];
    skipped: { file: string; reason: string }[];
    error?: { message: string };
  };
  return { code, stderr, ...json };
}

let restored = 0;
async function restore(env: Record<string, string>, { database, backupId }: Listed, options = "") {
  const name = `restored_${++restored}`;
  const target = { BACKUP_RESTORE_TARGET: site.postgres.urlOf(name) };
  const ended = await site.cli(`restore --database ${database} --backup ${backupId} ${options}`, {
    env: { ...env, ...target },
  });
  return { ...ended, name };
}

test("a folder of version 1: every format becomes a backup that restores to the same database", async () => {
  const env = await version1({
    "shop.backup": dump("custom"),
    "old/lying-name.sql": dump("custom"),
    "shop-2026-11-01.tar": dump("tar"),
    "shop_20261102.sql": dump("plain"),
    "daily/shop.sql.gz": gzipSync(dump("plain"), { level: 1 }),
    "shop-create.dump": dump("created"),
    "archive.gz": gzipSync(dump("custom"), { level: 1 }),
    "shop.zst": zstdCompressSync(dump("tar")),
    "notes.txt": Buffer.from("-- my notes\n"),
    "shop.age": Buffer.from("age-encryption.org/v1\n-> X25519 abc\n"),
  });
  const before = await plaintexts(env);
  const dry = await adopt(env, "--dry-run");
  expect({ code: dry.code, now: await plaintexts(env) }).toEqual({ code: 0, now: before });
  expect(dry.dumps.map(({ state }) => state)).toEqual(Array(8).fill("planned"));

  const done = await adopt(env);
  expect(done.skipped.map(({ file }) => file)).toEqual(["notes.txt", "shop.age"]);
  expect(done).toMatchObject({ code: 0, refused: [] });
  expect(await plaintexts(env)).toEqual(["notes.txt", "shop.age"]);
  expect(new Map(done.dumps.map((each) => [each.file, each.database]))).toEqual(
    new Map([
      ["archive.gz", "shop"],
      ["daily/shop.sql.gz", "shop"],
      ["old/lying-name.sql", "shop"],
      ["shop-2026-11-01.tar", "shop"],
      ["shop-create.dump", "shop"],
      ["shop.backup", "shop"],
      ["shop.zst", "shop"],
      ["shop_20261102.sql", "shop"],
    ]),
  );
  // The same bytes twice are one backup.
  const ids = new Map(done.dumps.map((each) => [each.file, each.backupId]));
  expect(ids.get("shop.backup")).toBe(ids.get("old/lying-name.sql"));
  expect(new Set(ids.values()).size).toBe(7);
  const day = (time: Date) => time.toISOString().slice(0, 10).replaceAll("-", "");
  expect(ids.get("shop_20261102.sql")?.slice(0, 8)).toBe(day(YESTERDAY));
  expect(ids.get("shop.backup")?.slice(0, 8)).toBe(day(new Date()));

  const verified = await site.cli("verify --backup all --json", { env });
  expect({ code: verified.code, good: JSON.parse(verified.stdout).good }).toEqual({ code: 0, good: true });
  const restores = done.dumps.map(async (each) => {
    const { code, stderr, name } = await restore(env, each);
    if (code !== 0) throw new Error(`${each.file} is not restored: ${stderr}`);
    expect(await digest(name)).toEqual(source);
  });
  await Promise.all(restores);
  const owners = "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'orders'";
  expect(await site.postgres.query(owners, `restored_${restored}`)).toEqual([{ owner: "shopkeeper" }]);

  const events = await Array.fromAsync(
    openAuditLog(auditFolder(env["BACKUP_DIR"] ?? "")).query({ action: "backup.adopted" }),
  );
  expect(new Set(events.map(({ outcome, details }) => `${outcome} ${details?.["file"]}`))).toEqual(
    new Set(done.dumps.map(({ file }) => `ok ${file}`)),
  );
  expect(events[0]).toMatchObject({
    database: "shop",
    actor: expect.stringMatching(/^user:.+@/),
    bytes: expect.any(Number),
  });
});

test("what is broken or cannot be adopted is refused and left alone, and the good one is done", async () => {
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);
  const flip = (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    const at = Math.floor(copy.length / 2);
    copy[at] = (copy[at] ?? 0) ^ 0x10;
    return copy;
  };
  const gzipped = gzipSync(dump("plain"), { level: 1 });
  const broken = {
    "cluster.sql": Buffer.from("--\n-- PostgreSQL database cluster dump\n--\n"),
    "custom-flipped.dump": flip(dump("custom")),
    "custom-half.backup": half(dump("custom")),
    "gzip-flipped.gz": flip(gzipped),
    "gzip-half.sql.gz": half(gzipped),
    "plain-half.sql": half(dump("plain")),
    "tar-half.tar": half(dump("tar")),
    "zst-half.zst": half(zstdCompressSync(dump("tar"))),
  };
  const env = await version1({ ...broken, "2026-11-01.sql": dump("plain"), "good.sql": dump("created") });
  const { BACKUP_DIR = "" } = env;
  const directory = path.join(BACKUP_DIR, "directory");
  await run(path.join(site.postgres.binDir, "pg_dump"), ["-Fd", "-d", site.sourceUrl, "-f", directory]);
  await writeFile(path.join(BACKUP_DIR, "fresh.sql"), dump("plain"));

  const { code, dumps: adopted, refused, skipped } = await adopt(env);
  expect({ code, adopted: adopted.map(({ file, state }) => [file, state]) }).toEqual({
    code: 1,
    adopted: [["good.sql", "adopted"]],
  });
  expect(refused.map(({ file }) => file).toSorted()).toEqual(
    [...Object.keys(broken), "2026-11-01.sql", "directory"].toSorted(),
  );
  expect(skipped).toEqual([{ file: "fresh.sql", reason: expect.stringContaining("less than a minute ago") }]);
  const reasons = new Map(refused.map(({ file, reason }) => [file, reason]));
  expect(reasons.get("2026-11-01.sql")).toContain("--database");
  expect(reasons.get("directory")).toContain("pg_restore --file=directory.sql directory");
  for (const [file, bytes] of Object.entries(broken))
    expect(await readFile(path.join(BACKUP_DIR, file))).toEqual(bytes);

  await utimes(path.join(BACKUP_DIR, "fresh.sql"), YESTERDAY, YESTERDAY);
  const told2 = await adopt(env, "--yes --database other");
  expect(told2.dumps.map(({ file, database, state }) => [file, database, state])).toEqual([
    ["2026-11-01.sql", "other", "adopted"],
    ["fresh.sql", "other", "already"],
  ]);
  expect((await readdir(path.join(BACKUP_DIR, ".trivault/runs"))).length).toBe(0);
});

test("--keep leaves the plaintext, again makes no second backup, and without --keep the plaintext goes", async () => {
  const env = await version1({ "shop.backup": dump("custom") });
  const refusal = await site.cli("encrypt auto", { env });
  expect(refusal).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
  const first = await adopt(env, "--keep");
  const second = await adopt(env, "--keep");
  const third = await adopt(env);
  const id = first.dumps[0]?.backupId;
  expect((await site.cli(`show ${id}`, { env })).stdout).toMatch(/^Adopted .*adopted-from custom$/ms);
  const states = [first, second, third].map(({ dumps: [one] }) => [one?.state, one?.backupId, one?.removed]);
  expect(states).toEqual([
    ["adopted", id, false],
    ["already", id, false],
    ["already", id, true],
  ]);
  expect(await plaintexts(env)).toEqual([]);
  expect(await adopt(env)).toMatchObject({ code: 0, dumps: [], refused: [] });
});

test("a plaintext whose backup was damaged since stays", async () => {
  const env = await version1({ "shop.backup": dump("custom") });
  const {
    dumps: [one],
  } = await adopt(env, "--keep");
  const file = path.join(env["BACKUP_DIR"] ?? "", "shop", one?.backupId ?? "", "data-000001.zst.age");
  const bytes = await readFile(file);
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  await writeFile(file, bytes);
  const again = await adopt(env);
  expect(again).toMatchObject({
    code: 1,
    dumps: [{ state: "failed", problem: expect.stringContaining("damaged on the local") }],
  });
  expect(await plaintexts(env)).toEqual(["shop.backup"]);
});

test("killed at every step and run again: one backup, whole, and no plaintext", async () => {
  const env = await version1({ "shop.sql": dump("plain") });
  const { BACKUP_DIR = "" } = env;
  const files = () => {
    try {
      return readdirSync(BACKUP_DIR, { recursive: true }).map(String);
    } catch {
      return []; // a folder that was just found is gone already: the next look is a millisecond away
    }
  };
  const steps = [
    /adopted\/.*\.json$/,
    /runs\/.*\/dump\.lease$/,
    /\.age$/,
    /dumped\.json$/,
    /shop\/.*\/manifest\.json$/,
  ];
  for (const step of steps) {
    const before = new Set(files());
    const started = site.start("encrypt auto --yes", { env });
    const timer = setInterval(() => {
      if (files().some((file) => step.test(file) && !before.has(file))) started.kill("SIGKILL");
    }, 1);
    const { code } = await started.ended;
    clearInterval(timer);
    expect({ step: step.source, code }).toEqual({ step: step.source, code: null });
    expect(await plaintexts(env)).toEqual(["shop.sql"]);
  }
  expect(await adopt(env)).toMatchObject({ code: 0, dumps: [{ state: "already", removed: true }] });
  expect(await plaintexts(env)).toEqual([]);
  expect((await site.cli("verify --backup all", { env })).code).toBe(0);
  // A temporary file that a killed writer left is no object; the sweep takes it when it is a day old.
  const objects = files().filter((file) => file.startsWith("shop/") && /\/[^./][^/]*\.(?:age|json)$/.test(file));
  expect(new Set(objects.map((file) => path.dirname(file))).size).toBe(1);
  expect(await readdir(path.join(BACKUP_DIR, ".trivault/adopted"))).toHaveLength(1);
});

describe("a plain SQL dump", () => {
  test("that is hostile runs no program, and leaves no database", async () => {
    const witness = path.join(site.folder, "witness");
    const sql = dump("plain")
      .toString("latin1")
      .replace("\n--\n-- PostgreSQL database dump complete", `\n\\! touch ${witness}\n$&`);
    const env = await version1({ "shop.sql": Buffer.from(sql, "latin1") });
    const {
      dumps: [one],
    } = await adopt(env);
    const { code, stderr, name } = await restore(env, one as Listed);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("a command for psql itself") });
    await expect(stat(witness)).rejects.toThrow("ENOENT");
    expect(await site.postgres.query(`SELECT 1 FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
  });

  test("restores by hand, with the commands of RECOVERY.md and nothing of ours", async () => {
    const env = await version1({ "shop.sql.gz": gzipSync(dump("plain"), { level: 1 }) });
    const { dumps: adopted } = await adopt(env);
    const folder = path.join(env["BACKUP_DIR"] ?? "", "shop", adopted[0]?.backupId ?? "");
    const note = await readFile(path.join(env["BACKUP_DIR"] ?? "", "RECOVERY.md"), "utf8");
    const steps = note.split(/^(?=\d\. )/m).map((step) => [...step.matchAll(/^ {7}(.*)$/gm)].map(([, line]) => line));
    const lines = [...(steps[2]?.slice(0, 2) ?? []), ...(steps[4]?.slice(2) ?? [])].join("\n");
    await copyFile(site.identityFile, path.join(folder, "identity.txt"));
    const { host, port, user, password, binDir } = site.postgres;
    const login = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
    const PATH = `${binDir}:${process.env["PATH"]}`;
    await run("bash", ["-e", "-c", lines], { cwd: folder, env: { PATH, ...login }, maxBuffer: 1e8 });
    expect(await digest("restored")).toEqual(source);
  });

  test("cannot be restored without its owners, or over something: that is reported before anything is touched", async () => {
    const env = await version1({ "shop.sql": dump("plain") });
    const {
      dumps: [one],
    } = await adopt(env);
    for (const option of ["--no-owner", "--force"]) {
      const { code, stderr } = await restore(env, one as Listed, option);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(option) });
    }
  });
});
