import { mkdtemp, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { type PostgresServer, type TempDir, expectNoLeaks, makeTempDir, startPostgres } from "@trivault/testkit";
import { compareRows, digestDatabase } from "./compare.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { type Details, detailsSchema } from "./details.ts";
import { type DumpProcess, startDump } from "./dump.ts";
import { restoreArchive } from "./restore.ts";
import { openSnapshot } from "./snapshot.ts";
import { prepareTarget } from "./target.ts";
import { type Tools, requireTools } from "./tools.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let server: PostgresServer;
let tools: Tools;
let dir: TempDir;

beforeAll(async () => {
  [server, dir] = await Promise.all([startPostgres(), makeTempDir()]);
  tools = await requireTools(server.major, null);
});
afterAll(async () => {
  await server.stop();
  await dir.remove();
});
afterAll(expectNoLeaks());

/** As the stages do it, without encryption: the parts in order are the archive. */
async function backUp(url: string): Promise<{ details: Details; parts: Buffer[] }> {
  const connection = parseDatabaseUrl(url);
  const snapshot = await openSnapshot(connection);
  try {
    const dump = await beginDump(url, snapshot.snapshotId);
    const [details] = await Promise.all([snapshot.details({ rowCounts: true }), dump.done]);
    const names = (await readdir(dump.directory)).sort();
    const parts = await Promise.all(names.map((name) => readFile(path.join(dump.directory, name))));
    return { details: detailsSchema.parse(JSON.parse(JSON.stringify(details))), parts };
  } finally {
    await snapshot.close();
  }
}

async function beginDump(url: string, snapshotId: string): Promise<DumpProcess & { directory: string }> {
  const directory = await mkdtemp(path.join(dir.path, "spool-"));
  const connection = parseDatabaseUrl(url);
  const options = { connection, tools, snapshotId, directory, segmentSize: 64 * 1024, log: silentLogger() };
  return { ...(await startDump(options)), directory };
}

async function restore(url: string, backup: { details: Details; parts: Buffer[] }, jobs = 1): Promise<void> {
  const connection = parseDatabaseUrl(url);
  const { details } = backup;
  await prepareTarget(connection, { details, serverMajor: details.server.major, force: false });
  const options = { connection, tools, jobs, clean: false, noOwner: false, workDir: dir.path, log: silentLogger() };
  await restoreArchive({ ...options, archive: stream(backup.parts) });
}

async function* stream(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** A bit of everything that a dump must carry over. */
const ZOO = `
  CREATE ROLE zoo_keeper; CREATE ROLE zoo_visitor;
  CREATE EXTENSION IF NOT EXISTS hstore;
  CREATE SCHEMA "Odd ""schema""";
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE animals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood mood, legs positive,
    weight numeric(20, 6), ratio double precision, born timestamptz, photo bytea, tags text[], facts jsonb, more hstore,
    key uuid DEFAULT gen_random_uuid(), cage int4range, address inet, shout text GENERATED ALWAYS AS (upper(name)) STORED);
  INSERT INTO animals (name, mood, legs, weight, ratio, born, photo, tags, facts, more, cage, address)
    SELECT 'Tier ' || g || E' é\\t\\n\\\\ 漢字', (ARRAY['sad', 'ok', 'happy'])[1 + g % 3]::mood, 1 + g % 8, g / 7.0, g / 3.0,
      '2020-01-01'::timestamptz + g * interval '1 hour', decode(md5(g::text), 'hex'), ARRAY['a', NULL, 'b"c'],
      jsonb_build_object('g', g, 'x', NULL), hstore('k', g::text), int4range(g, g + 5), '10.0.0.1'
    FROM generate_series(1, 5000) g;
  CREATE TABLE "Odd ""schema""".t (t text, "a column" int);
  INSERT INTO "Odd ""schema""".t SELECT repeat('t', g), g FROM generate_series(1, 300) g;
  CREATE TABLE empty_table (); CREATE TABLE nulls (a int); INSERT INTO nulls VALUES (NULL), (NULL);
  CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
  CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO events SELECT '2025-06-01'::date + g, 'e' || g FROM generate_series(0, 400) g;
  CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
  INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3), (4, 5);
  CREATE VIEW happy AS SELECT * FROM animals WHERE mood = 'happy';
  CREATE MATERIALIZED VIEW per_mood AS SELECT mood, count(*) FROM animals GROUP BY 1;
  CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
  CREATE SEQUENCE counter START 42; SELECT nextval('counter'), nextval('counter');
  SELECT lo_from_bytea(0, decode(repeat('cafe', 5000), 'hex')), lo_from_bytea(0, '');
  ALTER TABLE nulls OWNER TO zoo_keeper; GRANT SELECT ON animals TO zoo_visitor;
  ALTER TABLE events ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON events USING (at > '2026-01-01');`;

describe("a database with a bit of everything", () => {
  let url: string;
  let backup: { details: Details; parts: Buffer[] };

  beforeAll(async () => {
    url = await server.createDatabase("zoo");
    await server.query(ZOO, "zoo");
    backup = await backUp(url);
  });

  test("is described", () => {
    const { details } = backup;
    expect(details).toMatchObject({
      database: "zoo",
      encoding: "UTF8",
      owner: "postgres",
      largeObjects: 2,
      sequences: 2,
    });
    expect(details.server.major).toBe(server.major);
    expect(details.schemas).toEqual(['Odd "schema"', "public"]);
    expect(details.roles).toEqual(["postgres", "zoo_keeper", "zoo_visitor"]);
    expect(details.extensions.map(({ name }) => name)).toEqual(["hstore", "plpgsql"]);
    expect(Object.fromEntries(details.tables.map(({ name, rows }) => [name, rows]))).toEqual({
      animals: 5000,
      t: 300,
      empty_table: 0,
      nulls: 2,
      events: null,
      events_2025: 214,
      events_2026: 187,
      parent: 1,
      child: 2,
      per_mood: null,
    });
    expect(details.tables.find(({ name }) => name === "events")?.kind).toBe("partitioned");
    expect(backup.parts.length).toBeGreaterThan(2);
  });

  test.each([1, 2])("comes back row for row (jobs %i)", async (jobs) => {
    const target = server.urlOf(`zoo restored ${jobs}`);
    await restore(target, backup, jobs);
    const [source, restored] = await Promise.all([url, target].map((u) => digestDatabase(parseDatabaseUrl(u))));
    expect(source).toHaveLength(12);
    expect(restored).toEqual(source);
    expect(await compareRows(parseDatabaseUrl(target), backup.details)).toEqual([]);
    expect((await readdir(dir.path)).filter((name) => name.startsWith("restore-"))).toEqual([]);
  });

  test("a changed row shows in the digest, a missing one in the counts", async () => {
    const target = server.urlOf("zoo changed");
    await restore(target, backup);
    const before = await digestDatabase(parseDatabaseUrl(target));
    await server.query(
      "UPDATE animals SET ratio = ratio + 1e-9 WHERE id = 7; DELETE FROM nulls; DROP TABLE child",
      "zoo changed",
    );
    const after = await digestDatabase(parseDatabaseUrl(target));
    const of = (digests: typeof after, name: string) => digests.find((table) => table.name === name)?.digest;
    expect(of(after, "animals")).not.toBe(of(before, "animals"));
    expect(of(after, "t")).toBe(of(before, "t"));
    expect(await compareRows(parseDatabaseUrl(target), backup.details)).toEqual([
      { table: "public.child", expected: 2, found: null },
      { table: "public.nulls", expected: 2, found: 0 },
    ]);
  });
});

test("the row counts are those of the dump, whatever is written meanwhile", async () => {
  const url = await server.createDatabase("busy");
  await server.query("CREATE TABLE log AS SELECT generate_series(1, 20000) AS n", "busy");
  const connection = parseDatabaseUrl(url);
  const snapshot = await openSnapshot(connection);
  await server.query("INSERT INTO log SELECT generate_series(1, 777); CREATE TABLE later (a int)", "busy");
  const dump = await beginDump(url, snapshot.snapshotId);
  await server.query("DELETE FROM log WHERE n < 100", "busy");
  const [details] = await Promise.all([snapshot.details({ rowCounts: true }), dump.done]);
  await snapshot.close();
  expect(details.tables).toEqual([{ schema: "public", name: "log", kind: "table", rows: 20_000 }]);
  const parts = await Promise.all(
    (await readdir(dump.directory)).sort().map((n) => readFile(path.join(dump.directory, n))),
  );
  await restore(server.urlOf("busy restored"), { details, parts });
  expect(await server.query("SELECT count(*)::int AS n FROM log", "busy restored")).toEqual([{ n: 20_000 }]);
});

test.each([`it's "quoted" \\ back,\ntwo lines`, "host=evil dbname=postgres", "postgres://evil/x %41 é", "-d"])(
  "the database name %j is taken as it is",
  async (name) => {
    const url = await server.createDatabase(name);
    await server.query("CREATE TABLE mine AS SELECT 1 AS a", name);
    const backup = await backUp(url);
    expect(backup.details.database).toBe(name);
    const target = server.urlOf(`${name} 2`);
    await restore(target, backup);
    expect(await compareRows(parseDatabaseUrl(target), backup.details)).toEqual([]);
  },
);

describe("a dump that the server ends", () => {
  test("by pg_terminate_backend: transient, reported as such", async () => {
    const url = await server.createDatabase("killed");
    await server.query(
      "CREATE UNLOGGED TABLE big AS SELECT md5(g::text) || md5((-g)::text) AS m FROM generate_series(1, 900000) g",
      "killed",
    );
    const snapshot = await openSnapshot(parseDatabaseUrl(url));
    const dump = await beginDump(url, snapshot.snapshotId);
    // More than zstd takes into memory before it waits for its reader.
    dump.pause();
    const backend = "FROM pg_stat_activity WHERE datname = 'killed' AND query LIKE 'COPY%'";
    while ((await server.query(`SELECT pid ${backend}`)).length === 0) await sleep(20);
    await server.query(`SELECT pg_terminate_backend(pid) ${backend}`);
    dump.resume();
    await expect(dump.done).rejects.toMatchObject({
      code: "DUMP_FAILED",
      permanent: false,
      message: expect.stringMatching(/pg_dump failed with exit status 1.*terminating connection|server closed/s),
    });
    await snapshot.close();
  });

  test("because a snapshot is gone", async () => {
    const snapshot = await openSnapshot(parseDatabaseUrl(server.url));
    await snapshot.close();
    await snapshot.close();
    const dump = await beginDump(server.url, snapshot.snapshotId);
    await expect(dump.done).rejects.toMatchObject({ code: "DUMP_FAILED" });
  });
});

describe("a user who may not read everything", () => {
  const login = { user: "reader", password: "p:w\\ord" };
  beforeAll(async () => {
    await server.createDatabase("partly");
    await server.query(`CREATE ROLE reader LOGIN PASSWORD 'p:w\\ord'`);
    await server.query("CREATE TABLE open AS SELECT 1 AS a; GRANT SELECT ON open TO reader", "partly");
  });

  test("has a whole dump where all is granted", async () => {
    const { details } = await backUp(server.urlOf("partly", login));
    expect(details.tables).toMatchObject([{ name: "open", rows: 1 }]);
  });

  test.each([
    [
      "a table without SELECT",
      "CREATE TABLE secret AS SELECT 1 AS a",
      /permission denied for table secret/,
      "DROP TABLE secret",
    ],
    [
      "a table whose rows a policy hides",
      "CREATE TABLE tenants AS SELECT 1 AS a; GRANT SELECT ON tenants TO reader; ALTER TABLE tenants ENABLE ROW LEVEL SECURITY",
      /row-level security/,
      "DROP TABLE tenants",
    ],
  ])("%s fails the dump and the counts, permanently", async (_, make, message, remove) => {
    await server.query(make, "partly");
    const snapshot = await openSnapshot(parseDatabaseUrl(server.urlOf("partly", login)));
    try {
      const dump = await beginDump(server.urlOf("partly", login), snapshot.snapshotId);
      const failure = { permanent: true, message: expect.stringMatching(message) };
      await expect(dump.done).rejects.toMatchObject({ code: "DUMP_FAILED", ...failure });
      await expect(snapshot.details({ rowCounts: true })).rejects.toMatchObject({
        code: "DATABASE_REFUSED",
        ...failure,
      });
    } finally {
      await snapshot.close();
      await server.query(remove, "partly");
    }
  });
});
