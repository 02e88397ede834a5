import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { type PostgresServer, type TempDir, expectNoLeaks, makeTempDir, startPostgres, until } from "@trivault/testkit";
import { compareRows } from "./compare.ts";
import { withClient } from "./connect.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import type { Details } from "./details.ts";
import { startDump } from "./dump.ts";
import { restoreArchive } from "./restore.ts";
import { openSnapshot } from "./snapshot.ts";
import { prepareTarget } from "./target.ts";
import { type Tools, requireTools } from "./tools.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let server: PostgresServer;
let other: PostgresServer;
let tools: Tools;
let dir: TempDir;
let details: Details;
/** The zstd stream of one dump. */
let archive: Buffer;

beforeAll(async () => {
  [server, other, dir] = await Promise.all([startPostgres(), startPostgres(), makeTempDir()]);
  tools = await requireTools(server.major, null);
  await server.query(`CREATE ROLE "Shop owner" LOGIN PASSWORD 'hush-hush'; CREATE ROLE clerk LOGIN PASSWORD 'c'`);
  await server.query("CREATE DATABASE shop TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' OWNER \"Shop owner\"");
  const fill = "CREATE TABLE goods AS SELECT g AS id, md5(g::text) AS name FROM generate_series(1, 100000) g";
  await server.query(`${fill}; CREATE TABLE tills (n int); ALTER TABLE tills OWNER TO "Shop owner"`, "shop");
  const snapshot = await openSnapshot(parseDatabaseUrl(server.urlOf("shop")));
  const directory = await mkdtemp(path.join(dir.path, "spool-"));
  const connection = parseDatabaseUrl(server.urlOf("shop"));
  const options = { connection, tools, snapshotId: snapshot.snapshotId, directory, log: silentLogger() };
  await (
    await startDump({ ...options, segmentSize: 1 << 30 })
  ).done;
  details = await snapshot.details({ rowCounts: true });
  await snapshot.close();
  archive = await readFile(path.join(directory, "part-000000"));
});
afterAll(async () => {
  await Promise.all([server.stop(), other.stop()]);
  await dir.remove();
});
afterAll(expectNoLeaks());

interface Settings {
  readonly bytes?: AsyncIterable<Uint8Array>;
  readonly jobs?: number;
  readonly clean?: boolean;
  readonly noOwner?: boolean;
  readonly signal?: AbortSignal;
}

async function restore(url: string, settings: Settings = {}): Promise<void> {
  const { bytes = slices(archive), jobs = 1, clean = false, noOwner = false, signal } = settings;
  const connection = parseDatabaseUrl(url);
  const options = { connection, tools, jobs, clean, noOwner, signal, workDir: dir.path, log: silentLogger() };
  await restoreArchive({ ...options, archive: bytes });
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

const relations = "SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace";

test.each([1, 2])("a tar archive with much behind its end, which pg_restore does not read (jobs %i)", async (jobs) => {
  const file = path.join(dir.path, `shop-${jobs}.tar`);
  await promisify(execFile)(path.join(server.binDir, "pg_dump"), ["-Ft", "-d", server.urlOf("shop"), "-f", file]);
  const bytes = await promisify(zstdCompress)(Buffer.concat([await readFile(file), randomBytes(4_000_000)]));
  const name = `from tar ${jobs}`;
  await restore(await server.createDatabase(name), { jobs, bytes: slices(bytes) });
  expect(await server.query("SELECT count(*)::int AS n FROM goods", name)).toEqual([{ n: 100_000 }]);
});

describe.each([1, 2])("a restore that fails leaves no doubt (jobs %i)", (jobs) => {
  let url: string;
  let name: string;
  beforeAll(async () => {
    name = `broken ${jobs}`;
    url = await server.createDatabase(name);
  });

  test.each<[string, () => AsyncIterable<Uint8Array>, RegExp]>([
    ["a truncated archive", () => slices(archive.subarray(0, archive.length / 2)), /zstd failed.*(premature|end)/is],
    // zstd notices at the latest by its checksum, pg_restore perhaps before by what it reads.
    ["a flipped byte", () => slices(flipped(archive)), /(zstd|pg_restore) failed with exit status 1/],
    ["no archive at all", () => slices(Buffer.alloc(0)), /(zstd|pg_restore) failed/],
    ["what is no archive", () => slices(Buffer.from("not zstd")), /zstd failed.*unsupported format/is],
  ])("%s", async (_, bytes, message) => {
    const failure = { code: "RESTORE_FAILED", message: expect.stringMatching(message) };
    await expect(restore(url, { jobs, bytes: bytes() })).rejects.toMatchObject(failure);
    expect(await server.query(relations, name)).toEqual([{ n: 0 }]);
    expect((await readdir(dir.path)).filter((entry) => entry.startsWith("restore-"))).toEqual([]);
  });

  test("an archive of a newer pg_dump", async () => {
    const plain = await promisify(zstdDecompress)(archive);
    // "PGDMP", then major, minor and revision of the format.
    plain[6] = 99;
    const bytes = slices(await promisify(zstdCompress)(plain));
    const message = expect.stringMatching(/unsupported version \(1\.99\).*pg_dump newer than this pg_restore/s);
    await expect(restore(url, { jobs, bytes })).rejects.toMatchObject({ code: "RESTORE_FAILED", message });
  });

  test("an archive that cannot be read on: its own error comes through", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 100_000);
      throw new Error("segment 2 is corrupt on every tier");
    }
    await expect(restore(url, { jobs, bytes: broken() })).rejects.toThrow("segment 2 is corrupt on every tier");
    expect(await server.query(relations, name)).toEqual([{ n: 0 }]);
  });

  test("an abort", async () => {
    const controller = new AbortController();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 100_000);
      controller.abort();
      yield archive.subarray(100_000);
    }
    const restoring = restore(url, { jobs, bytes: slow(), signal: controller.signal });
    await expect(restoring).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await server.query(relations, name)).toEqual([{ n: 0 }]);
  });

  test("pg_restore's own failure is the one that is reported", async () => {
    await expect(restore(other.urlOf("postgres"), { jobs })).rejects.toMatchObject({
      code: "RESTORE_FAILED",
      message: expect.stringMatching(
        /pg_restore failed with exit status 1.*role "Shop owner" does not exist.*--no-owner/s,
      ),
    });
  });
});

test("9.B10 when the archive fails, pg_restore is gone by the time that is reported, also from the server, and nothing is committed", async () => {
  const url = await server.createDatabase("locked");
  await server.query("CREATE TABLE goods (old int)", "locked");
  await withClient(parseDatabaseUrl(url), async (session) => {
    await session.query("BEGIN; LOCK TABLE public.goods");
    const check = expectNoLeaks();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, archive.length / 2);
      while ((await server.query("SELECT FROM pg_locks WHERE NOT granted")).length === 0) await sleep(20);
      throw new Error("segment 2 is corrupt on every tier");
    }
    await expect(restore(url, { clean: true, bytes: broken() })).rejects.toThrow("segment 2 is corrupt on every tier");
    await check();
    // The lock that it waited for is still held.
    await until(async () => (await server.query("SELECT FROM pg_locks WHERE NOT granted")).length === 0);
  });
  const columns = "SELECT column_name AS c FROM information_schema.columns WHERE table_name = 'goods'";
  expect(await server.query(columns, "locked")).toEqual([{ c: "old" }]);
});

test("9.B10 rows that are compared behind a lock are no longer once that is cancelled, here and on the server", async () => {
  const url = await server.createDatabase("compared");
  await server.query("CREATE TABLE goods (n int)", "compared");
  await withClient(parseDatabaseUrl(url), async (session) => {
    await session.query("BEGIN; LOCK TABLE public.goods");
    const waiting = () => server.query("SELECT FROM pg_locks WHERE NOT granted");
    const stop = new AbortController();
    const comparing = compareRows(parseDatabaseUrl(url), details, stop.signal);
    const refused = expect(comparing).rejects.toThrow("enough");
    await until(async () => (await waiting()).length === 1);
    stop.abort(new Error("enough"));
    await refused;
    await until(async () => (await waiting()).length === 0);
  });
});

test("without owners it goes where the roles are missing; with clean it goes over what is there", async () => {
  const url = await other.createDatabase("orphans");
  await restore(url, { noOwner: true });
  await restore(url, { noOwner: true, clean: true });
  expect(await other.query("SELECT count(*)::int AS n FROM goods", "orphans")).toEqual([{ n: 100_000 }]);
});

describe("prepareTarget", () => {
  const options = { serverMajor: 9, force: false };
  const prepare = (url: string, more: { force?: boolean; serverMajor?: number } = {}) =>
    prepareTarget(parseDatabaseUrl(url), { ...options, details, ...more });

  test("makes a missing database like the source, and drops it, even with a session in it", async () => {
    const url = other.urlOf(`new "db"`);
    const target = await prepare(url);
    expect(target).toMatchObject({ created: true, major: other.major });
    const made = `SELECT pg_encoding_to_char(encoding) AS e, datcollate AS c FROM pg_database WHERE datname = 'new "db"'`;
    expect(await other.query(made)).toEqual([{ e: "LATIN1", c: "C" }]);
    const session = await openSnapshot(parseDatabaseUrl(url));
    await target.drop();
    await session.close();
    expect(await other.query(made)).toEqual([]);
  });

  test("takes an empty one as it is, extensions and all, and never drops it", async () => {
    const url = await other.createDatabase("empty");
    await other.query("CREATE EXTENSION hstore; CREATE EXTENSION pg_stat_statements", "empty");
    const target = await prepare(url);
    expect(target.created).toBe(false);
    await target.drop();
    expect((await prepare(url)).created).toBe(false);
  });

  test.each([
    ["CREATE TABLE t (a int)", /the relation public\.t/],
    ["CREATE VIEW v AS SELECT 1", /the relation public\.v/],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", /the function public\.f/],
    ["CREATE TYPE e AS ENUM ('a')", /the type public\.e/],
    ["CREATE SCHEMA s", /the schema s/],
    ["SELECT lo_create(4711)", /the large object 4711/],
  ])("refuses one that is not empty: %s", async (sql, message) => {
    const name = `full ${sql}`.slice(0, 60);
    const url = await other.createDatabase(name);
    await other.query(sql, name);
    const refusal = { code: "TARGET_NOT_EMPTY", permanent: true, message: expect.stringMatching(message) };
    await expect(prepare(url)).rejects.toMatchObject(refusal);
    expect((await prepare(url, { force: true })).created).toBe(false);
  });

  test("refuses a server older than the source, and makes nothing there", async () => {
    for (const name of ["postgres", "too old"]) {
      await expect(prepare(other.urlOf(name), { serverMajor: 99 })).rejects.toMatchObject({
        code: "RESTORE_FAILED",
        permanent: true,
        message: expect.stringMatching(/PostgreSQL 99.*the older \d+/),
      });
    }
    expect(await other.query("SELECT FROM pg_database WHERE datname = 'too old'")).toEqual([]);
  });

  test("says so where the user may not make databases", async () => {
    const url = server.urlOf("not mine", { user: "clerk", password: "c" });
    await expect(prepare(url)).rejects.toMatchObject({
      code: "RESTORE_FAILED",
      permanent: true,
      message: expect.stringMatching(/permission denied to create database.*make it yourself/),
    });
  });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(copy.length / 2);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}
