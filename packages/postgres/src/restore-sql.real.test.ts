import { execFile } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createZstdCompress } from "node:zlib";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import {
  createSampleDatabase,
  expectNoLeaks,
  makeTempDir,
  type PostgresServer,
  startPostgres,
  type TempDir,
  until,
} from "@trivault/testkit";
import { checkArchive, readArchiveHeader } from "./archive.ts";
import { digestDatabase, type TableDigest } from "./compare.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { restoreArchive } from "./restore.ts";
import { restoreSql } from "./restore-sql.ts";
import { newestTools, type Tools } from "./tools.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let server: PostgresServer;
let dir: TempDir;
let tools: Tools;
let source: TableDigest[];

/** What a scanner may stumble over, in every form that pg_dump writes. */
const ODD = String.raw`
  CREATE ROLE shopkeeper;
  CREATE TABLE "a;b\c'd" (t text DEFAULT E'\\! ls\n\'', "x$y$" int);
  INSERT INTO "a;b\c'd" VALUES (E'\\.', 1), (E'\n\\! ls', 2), (E'\restrict x', 3), (E'--', 4), (E'\\connect x', NULL), ('''$$', 5);
  CREATE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN
/*
\connect elsewhere
COMMIT;
*/
    RETURN $1; END $f$;
  CREATE FUNCTION g(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
  COMMENT ON FUNCTION f(int) IS E'a\n\\! ls\nDROP DATABASE shop;';
  SELECT lo_from_bytea(0, decode(repeat('00ff', 5000), 'hex'));
  ALTER DATABASE shop OWNER TO shopkeeper;
  ALTER DATABASE shop SET work_mem = '8MB';
  COMMENT ON DATABASE shop IS E'a;\n\\connect evil\n';
  GRANT CONNECT ON DATABASE shop TO shopkeeper;`;

beforeAll(async () => {
  [server, dir] = await Promise.all([startPostgres(), makeTempDir()]);
  tools = await newestTools(null);
  await createSampleDatabase(await server.createDatabase("shop"), { megabytes: 8 });
  await server.query(ODD, "shop");
  source = await digestDatabase(parseDatabaseUrl(server.urlOf("shop")));
});
afterAll(async () => {
  await server.stop();
  await dir.remove();
});
afterAll(expectNoLeaks());

async function dump(name: string, ...args: string[]): Promise<string> {
  const file = path.join(dir.path, name);
  await promisify(execFile)(tools.pgDump.path, ["-d", server.urlOf("shop"), "-f", file, ...args]);
  return file;
}

const zstd = (bytes: Readable) => bytes.pipe(createZstdCompress());

async function restore(script: Buffer, target: string): Promise<void> {
  const connection = parseDatabaseUrl(await server.createDatabase(target));
  await restoreSql({ connection, tools, script: zstd(Readable.from([script])) });
}

async function isEmpty(database: string): Promise<boolean> {
  const rows = await server.query("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace", database);
  return rows.length === 0;
}

describe("a plain SQL dump", () => {
  test.each([
    ["plain", []],
    ["inserts", ["--rows-per-insert=50"]],
    ["create", ["--create", "--clean", "--if-exists"]],
    ["blobs last", ["--create", "--verbose", "--quote-all-identifiers"]],
  ])("%s: goes into the database that was named, every row of it, and touches no other", async (name, args) => {
    const script = await readFile(await dump(`${name}.sql`, ...args));
    await server.query("COMMENT ON DATABASE shop IS 'live'");
    await restore(script, `from ${name}`);
    // pg_dump writes the double -0 as a number without a sign into INSERTs: the digest shows it.
    const exact = (digests: TableDigest[]) =>
      name === "inserts" ? digests.filter((each) => each.name !== "oddities") : digests;
    expect(exact(await digestDatabase(parseDatabaseUrl(server.urlOf(`from ${name}`))))).toEqual(exact(source));
    const [comment] = await server.query(
      "SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database WHERE datname = 'shop'",
    );
    expect(comment).toEqual({ text: "live" });
    const body = "SELECT obj_description('f(int)'::regprocedure) AS text";
    expect(await server.query(body, `from ${name}`)).toEqual(await server.query(body, "shop"));
  });

  test("that holds a command for psql is refused, and nothing runs", async () => {
    const witness = path.join(dir.path, "witness");
    const script = await readFile(await dump("hostile.sql"), "utf8");
    const hostile = script.replace("\n-- PostgreSQL database dump complete", `\n\\! touch ${witness}\n$&`);
    expect(hostile).not.toBe(script);
    await expect(restore(Buffer.from(hostile), "hostile")).rejects.toThrow(/a command for psql itself, "\\\\! touch/);
    expect(existsSync(witness)).toBe(false);
    expect(await isEmpty("hostile")).toBe(true);
  });

  test("psql itself obeys no command: it is started that way, should one get past our check", async () => {
    const said = await promisify(execFile)(tools.psql.path, [
      "-X",
      "-d",
      server.url,
      "-c",
      "\\restrict key",
      "-c",
      "\\! echo obeyed",
    ]).catch((error: { stdout: string; stderr: string }) => error);
    expect(said).toMatchObject({ stdout: "", stderr: expect.stringMatching(/restricted/) });
  });

  test.each([
    ["in COPY data", (text: string) => text.slice(0, text.indexOf("\n\\.\n") - 200)],
    ["in a string", (text: string) => `${text}\nSELECT 'a`],
    ["in a dollar-quoted string", (text: string) => `${text}\nDO $$`],
  ])("that ends %s is undone as a whole", async (name, cut) => {
    const script = cut(await readFile(await dump("cut.sql"), "utf8"));
    await expect(restore(Buffer.from(script), `cut ${name}`)).rejects.toMatchObject({ code: "RESTORE_FAILED" });
    expect(await isEmpty(`cut ${name}`)).toBe(true);
  });

  test("whose stream breaks off is undone, with the reason of the break", async () => {
    const script = await readFile(await dump("broken.sql"));
    async function* breaking() {
      yield* zstd(Readable.from([script.subarray(0, script.length / 2)]));
      throw new Error("the tier is gone");
    }
    const connection = parseDatabaseUrl(await server.createDatabase("broken"));
    await expect(restoreSql({ connection, tools, script: breaking() })).rejects.toThrow("the tier is gone");
    expect(await isEmpty("broken")).toBe(true);
  });

  test("9.B10 that is cancelled ends psql, and what it asked of the server", async () => {
    const connection = parseDatabaseUrl(await server.createDatabase("cancelled"));
    const asleep = () => server.query("SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
    const stop = new AbortController();
    const script = zstd(Readable.from([Buffer.from("SELECT pg_sleep(600);\n")]));
    const restoring = restoreSql({ connection, tools, script, signal: stop.signal });
    const refused = expect(restoring).rejects.toMatchObject({ code: "CANCELLED" });
    await until(async () => (await asleep()).length === 1);
    stop.abort();
    await refused;
    await until(async () => (await asleep()).length === 0);
  });

  test("that needs a role says so", async () => {
    const script = Buffer.from("CREATE TABLE public.t (a int);\nALTER TABLE public.t OWNER TO nobody_here;\n");
    await expect(restore(script, "role")).rejects.toThrow(
      /"nobody_here" does not exist.* — Make the role on the target first\.$/s,
    );
  });
});

describe("an archive", () => {
  test.each(["custom" as const, "tar" as const])(
    "%s: shows where it comes from; cut off it is refused; it restores",
    async (format) => {
      const before = new Date(Date.now() - 1000);
      const file = await dump(`archive.${format}`, `--format=${format}`);
      const header = await readArchiveHeader(createReadStream(file), format, { tools });
      expect(header).toMatchObject({
        database: "shop",
        serverVersion: expect.stringMatching(new RegExp(`^${server.major}\\.`)),
      });
      expect(Number(header.createdAt)).toBeGreaterThan(Number(before));
      expect(Number(header.createdAt)).toBeLessThanOrEqual(Date.now());
      await checkArchive(createReadStream(file), format, { tools });
      const { size } = await stat(file);
      for (const share of [0.3, 0.9]) {
        const cut = createReadStream(file, { end: Math.floor(size * share) });
        await expect(checkArchive(cut, format, { tools })).rejects.toMatchObject({ code: "CORRUPT" });
      }
      for (const jobs of [1, 2]) {
        const connection = parseDatabaseUrl(await server.createDatabase(`${format} ${jobs}`));
        const options = {
          connection,
          tools,
          jobs,
          clean: false,
          noOwner: false,
          workDir: dir.path,
          log: silentLogger(),
        };
        await restoreArchive({ ...options, archive: zstd(createReadStream(file)) });
        expect(await digestDatabase(connection)).toEqual(source);
      }
    },
  );
});

test("9.C16 no name in the script leads to what somebody put into the target's search path", async () => {
  const connection = parseDatabaseUrl(await server.createDatabase("trapped"));
  await server.query(
    `CREATE ROLE sneak; CREATE SCHEMA trap; CREATE FUNCTION trap.current_setting(text) RETURNS text LANGUAGE plpgsql
       AS $$ BEGIN ALTER ROLE sneak SUPERUSER; RETURN ''; END $$; ALTER DATABASE trapped SET search_path = trap, pg_catalog`,
    "trapped",
  );
  const script = zstd(Readable.from([Buffer.from("SELECT current_setting('work_mem');\n")]));
  await restoreSql({ connection, tools, script });
  expect(await server.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'sneak'")).toEqual([{ rolsuper: false }]);
});
