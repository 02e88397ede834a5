import { mkdtemp, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { type Selection, silentLogger } from "@trivault/core";
import { makeTempDir, type PostgresServer, startPostgres, type TempDir } from "@trivault/testkit";
import { compareRows } from "./compare.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import type { Details } from "./details.ts";
import { listDatabases } from "./discover.ts";
import { startDump } from "./dump.ts";
import { restoreArchive } from "./restore.ts";
import { openSnapshot } from "./snapshot.ts";
import { prepareTarget } from "./target.ts";
import { requireTools, type Tools } from "./tools.ts";

jest.setTimeout(60_000);

let server: PostgresServer;
let tools: Tools;
let dir: TempDir;
let url: string;
let restored = 0;

beforeAll(async () => {
  [server, dir] = await Promise.all([startPostgres(), makeTempDir()]);
  tools = await requireTools(server.major, null);
  url = await server.createDatabase("zoo");
  await server.query(
    `CREATE EXTENSION hstore; CREATE SCHEMA sales; CREATE SCHEMA "Odd.one"; CREATE SCHEMA audit;
     CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 10) g;
     CREATE TABLE order_lines AS SELECT g AS id, hstore('k', g::text) AS more FROM generate_series(1, 20) g;
     CREATE TABLE "Orders" AS SELECT 1 AS id; CREATE TABLE tmp_a AS SELECT 1 AS id; CREATE TABLE a$b AS SELECT 1 AS id;
     CREATE TABLE sales.orders AS SELECT g AS id FROM generate_series(1, 30) g;
     CREATE TABLE sales.tmp_a AS SELECT 1 AS id; CREATE SEQUENCE sales.counter;
     CREATE TABLE "Odd.one"."T.x" AS SELECT g AS id FROM generate_series(1, 5) g;
     CREATE TABLE audit.log (at date, what text) PARTITION BY RANGE (at);
     CREATE TABLE audit.log_2026 PARTITION OF audit.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
     CREATE TABLE audit.log_2027 PARTITION OF audit.log FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
     INSERT INTO audit.log SELECT '2026-06-01'::date + g, 'x' FROM generate_series(0, 400) g;
     SELECT lo_from_bytea(0, 'x');`,
    "zoo",
  );
});
afterAll(async () => {
  await server.stop();
  await dir.remove();
});

const select = (selection: Partial<Selection>): Selection => ({
  schemas: [],
  tables: [],
  excludeSchemas: [],
  excludeTables: [],
  ...selection,
});

async function backUp(selection: Selection): Promise<{ details: Details; archive: Buffer }> {
  const connection = parseDatabaseUrl(url);
  const directory = await mkdtemp(path.join(dir.path, "spool-"));
  const snapshot = await openSnapshot(connection);
  try {
    const { snapshotId } = snapshot;
    const options = { connection, tools, snapshotId, selection, directory, segmentSize: 1 << 30, log: silentLogger() };
    const dump = await startDump(options);
    const [details] = await Promise.all([snapshot.details({ rowCounts: true, selection }), dump.done]);
    const names = (await readdir(directory)).toSorted();
    const parts = await Promise.all(names.map((name) => readFile(path.join(directory, name))));
    return { details, archive: Buffer.concat(parts) };
  } finally {
    await snapshot.close();
  }
}

/** Tables with their rows, in a new database that the archive was restored into. */
async function restore({ details, archive }: Awaited<ReturnType<typeof backUp>>): Promise<string[]> {
  const name = `restored_${restored++}`;
  const connection = parseDatabaseUrl(server.urlOf(name));
  await prepareTarget(connection, { details, serverMajor: server.major, force: false });
  const options = { connection, tools, jobs: 1, clean: false, noOwner: false, workDir: dir.path, log: silentLogger() };
  await restoreArchive({
    ...options,
    archive: (async function* () {
      yield archive;
    })(),
  });
  expect(await compareRows(connection, details)).toEqual([]);
  const found = await server.query(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY schemaname || '.' || tablename COLLATE "C"`,
    name,
  );
  return (found as { name: string }[]).map((row) => row.name);
}

const AUDIT = ["audit.log", "audit.log_2026", "audit.log_2027"];
const SALES = ["sales.orders", "sales.tmp_a"];
const PUBLIC = ["public.Orders", "public.a$b", "public.order_lines", "public.orders", "public.tmp_a"];

describe("a backup of a selection", () => {
  test.each<[string, Partial<Selection>, string[]]>([
    ["one schema", { schemas: ["sales"] }, SALES],
    ["public, and a pattern", { schemas: ["public", "sal*"] }, [...PUBLIC, ...SALES]],
    ["a quoted schema", { schemas: ['"Odd.one"'] }, ["Odd.one.T.x"]],
    ["capitals that mean small letters", { schemas: ["SALES"] }, SALES],
    ["all but schemas", { excludeSchemas: ["audit", "s?les", '"Odd.one"'] }, PUBLIC],
    [
      "all but tables",
      { excludeTables: ["tmp_*", "audit.log*", "nothing_such"] },
      ["Odd.one.T.x", ...PUBLIC.slice(0, 4), ...SALES],
    ],
    ["tables of the search path", { tables: ["order*"] }, ["public.order_lines", "public.orders"]],
    ["tables of any schema", { tables: ["*.orders"] }, ["public.orders", "sales.orders"]],
    ["a quoted table", { tables: ['"Odd.one"."T.x"', 'public."Orders"'] }, ["Odd.one.T.x", "public.Orders"]],
    [
      "a dollar, an alternative, and an exception",
      { tables: ["a$b", "(orders|tmp_a)"], excludeTables: ["tmp_a"] },
      ["public.a$b", "public.orders"],
    ],
    ["a partitioned table and its partitions", { tables: ["audit.log*"] }, AUDIT],
  ])("%s holds and counts exactly that, and restores", async (_, selection, tables) => {
    const backup = await backUp(select(selection));
    expect(backup.details.tables.map((table) => `${table.schema}.${table.name}`).toSorted()).toEqual(tables.toSorted());
    expect(await restore(backup)).toEqual(tables.toSorted());
  });

  test("of nothing in particular is one of everything", async () => {
    const { details } = await backUp(select({}));
    expect(details.tables).toHaveLength(11);
    expect(details).toMatchObject({ largeObjects: 1, sequences: 1 });
    expect(details).not.toHaveProperty("neededSchemas");
    const { details: some } = await backUp(select({ schemas: ["public"] }));
    expect(some).toMatchObject({ largeObjects: 0, sequences: 0, schemas: ["public"] });
  });

  test.each<[string, Partial<Selection>, RegExp]>([
    ["a schema that is not there", { schemas: ["sales", "misspelt"] }, /no matching schemas.*include/s],
    ["a table that is not there", { tables: ["orders", "misspelt*"] }, /no matching tables.*include/s],
    [
      "a partitioned table without its partitions",
      { tables: ["audit.log"] },
      /partitioned table audit\.log without its partition/,
    ],
  ])("fails for %s", async (_, selection, message) => {
    await expect(backUp(select(selection))).rejects.toMatchObject({
      code: "DUMP_FAILED",
      permanent: true,
      message: expect.stringMatching(message),
    });
  });
});

test("the databases of a server are those that can be backed up", async () => {
  await server.query(`CREATE DATABASE "Odd 'name"`);
  await server.query("CREATE DATABASE closed ALLOW_CONNECTIONS false");
  const names = (await listDatabases(parseDatabaseUrl(server.url))).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["Odd 'name", "postgres", "zoo"]));
  expect(names.some((name) => ["template0", "template1", "closed"].includes(name))).toBe(false);
});
