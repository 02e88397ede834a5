import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { expectNoLeaks, makeTempDir, type PostgresServer, startPostgres, type TempDir } from "@trivault/testkit";
import { type AppliedProperties, applyProperties } from "./apply-properties.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { type Details, detailsSchema } from "./details.ts";
import { startDump } from "./dump.ts";
import { restoreArchive } from "./restore.ts";
import { openSnapshot } from "./snapshot.ts";
import { prepareTarget } from "./target.ts";
import { requireTools, type Tools } from "./tools.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

const run = promisify(execFile);

let source: PostgresServer;
let target: PostgresServer;
let tools: Tools;
let dir: TempDir;
let shop: Backup;
beforeAll(async () => {
  [source, target, dir] = await Promise.all([startPostgres(), startPostgres(), makeTempDir()]);
  tools = await requireTools(source.major, null);
  for (const server of [source, target]) {
    await server.query("CREATE ROLE app LOGIN PASSWORD 'a'; CREATE ROLE reader LOGIN PASSWORD 'r'");
  }
  await source.query("CREATE ROLE stays LOGIN; CREATE ROLE ops LOGIN");
  await source.query("CREATE DATABASE shop TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
  await source.query(
    "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5); ALTER TABLE t OWNER TO app",
    "shop",
  );
  await source.query(PROPERTIES);
  shop = await backUp("shop");
});
afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
  await dir.remove();
});
afterAll(expectNoLeaks());

const PROPERTIES = `
  ALTER DATABASE shop SET search_path = app, "weird, name", public;
  ALTER DATABASE shop SET timezone = 'Asia/Tokyo';
  ALTER DATABASE shop SET myapp.tenant = 'acme''s';
  ALTER DATABASE shop SET default_text_search_config = 'pg_catalog.french';
  ALTER DATABASE shop SET default_transaction_read_only = on;
  ALTER DATABASE shop SET log_min_duration_statement = '250ms';
  ALTER ROLE app IN DATABASE shop SET work_mem = '64MB';
  ALTER ROLE app IN DATABASE shop SET role = 'reader';
  COMMENT ON DATABASE shop IS 'production, ask ''ops''';
  REVOKE CONNECT, TEMPORARY ON DATABASE shop FROM PUBLIC;
  GRANT CONNECT ON DATABASE shop TO reader WITH GRANT OPTION;
  GRANT CREATE ON DATABASE shop TO app;
  ALTER DATABASE shop CONNECTION LIMIT 40;
  ALTER DATABASE shop OWNER TO app`;

/** All of it as PostgreSQL has it, in an order of its own. */
async function propertiesOf(server: PostgresServer, database: string): Promise<unknown> {
  const [row] = await server.query(`
    SELECT pg_get_userbyid(d.datdba) AS owner, d.datconnlimit AS connections, shobj_description(d.oid, 'pg_database') AS comment,
      (SELECT json_agg(a::text ORDER BY a::text) FROM unnest(d.datacl) a) AS rights,
      (SELECT json_agg(coalesce(r.rolname, '') || ' ' || c ORDER BY r.rolname, c) FROM pg_db_role_setting s
         LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c WHERE s.setdatabase = d.oid) AS settings
    FROM pg_database d WHERE d.datname = '${database}'`);
  return row;
}

interface Backup {
  readonly details: Details;
  readonly archive: Buffer;
}

async function backUp(database: string): Promise<Backup> {
  const connection = parseDatabaseUrl(source.urlOf(database));
  const snapshot = await openSnapshot(connection);
  try {
    const directory = await mkdtemp(path.join(dir.path, "spool-"));
    const { snapshotId } = snapshot;
    const dump = await startDump({
      connection,
      tools,
      snapshotId,
      directory,
      segmentSize: 1 << 30,
      log: silentLogger(),
    });
    await dump.done;
    const details = await snapshot.details({ rowCounts: true });
    const archive = await readFile(path.join(directory, "part-000000"));
    // As it comes back from a tier.
    return { details: detailsSchema.parse(JSON.parse(JSON.stringify(details))), archive };
  } finally {
    await snapshot.close();
  }
}

/** The order is that of restoreBackup (packages/backup/src/restore.ts). */
async function restore({ details, archive }: Backup, url: string, noOwner = false): Promise<AppliedProperties> {
  const connection = parseDatabaseUrl(url);
  await prepareTarget(connection, { details, serverMajor: source.major, force: false });
  const before = await applyProperties(connection, { details, when: "before", noOwner });
  const moneyLocale = details.properties?.moneyLocale ?? null;
  const options = { connection, tools, jobs: 1, clean: false, noOwner, moneyLocale };
  const bytes = (async function* () {
    yield archive;
  })();
  await restoreArchive({ ...options, archive: bytes, workDir: dir.path, log: silentLogger() });
  const after = await applyProperties(connection, { details, when: "after", noOwner });
  return { applied: [...before.applied, ...after.applied], refused: [...before.refused, ...after.refused] };
}

describe("what belongs to the database itself", () => {
  test("comes back: owner, settings, rights, comment, connection limit", async () => {
    const said = await restore(shop, target.urlOf("shop_new"));
    expect(said.refused).toEqual([]);
    expect(await propertiesOf(target, "shop_new")).toEqual(await propertiesOf(source, "shop"));
    // Seen from outside: who may come in, and how.
    const [row] = await target.query(
      "SELECT has_database_privilege('app', 'shop_new', 'CREATE') AS app, has_database_privilege('public', 'shop_new', 'CONNECT') AS anybody",
    );
    expect(row).toEqual({ app: true, anybody: false });
  });

  test("comes back into the same name, once more, and changes nothing more", async () => {
    const { details } = shop;
    const connection = parseDatabaseUrl(target.urlOf("shop_new"));
    for (const when of ["before", "after"] as const)
      await applyProperties(connection, { details, when, noOwner: false });
    expect(await propertiesOf(target, "shop_new")).toEqual(await propertiesOf(source, "shop"));
  });

  test("a role that the target lacks is named, with the statement that is left to do, and the rest is done", async () => {
    await source.query("CREATE DATABASE of_others OWNER stays");
    await source.query(
      "REVOKE ALL ON DATABASE of_others FROM PUBLIC; GRANT CONNECT ON DATABASE of_others TO ops, reader",
    );
    await source.query(
      "ALTER ROLE ops IN DATABASE of_others SET work_mem = '1MB'; COMMENT ON DATABASE of_others IS 'kept'",
    );
    const { refused } = await restore(await backUp("of_others"), target.urlOf("of_others"));
    expect(refused.map((line) => line.slice(line.indexOf("if it shall be so")))).toEqual([
      `if it shall be so: ALTER ROLE "ops" IN DATABASE "of_others" SET "work_mem" TO '1MB'`,
      `if it shall be so: GRANT CONNECT ON DATABASE "of_others" TO "ops"`,
      `if it shall be so: ALTER DATABASE "of_others" OWNER TO "stays"`,
    ]);
    expect(refused.join("\n")).toContain(`role "ops" does not exist`);
    expect(await propertiesOf(target, "of_others")).toMatchObject({
      comment: "kept",
      rights: expect.arrayContaining(["reader=c/postgres"]),
    });
    const [row] = await target.query("SELECT has_database_privilege('public', 'of_others', 'CONNECT') AS anybody");
    expect(row).toEqual({ anybody: false });
  });

  test("without owners: settings and comment, and nothing that names a role", async () => {
    const { refused } = await restore(shop, target.urlOf("shop_plain"), true);
    expect(refused).toEqual([]);
    expect(await propertiesOf(target, "shop_plain")).toMatchObject({
      owner: target.user,
      rights: null,
      comment: "production, ask 'ops'",
      settings: expect.not.arrayContaining([expect.stringContaining("work_mem")]),
    });
  });

  test("by an owner who is no superuser: what the server refuses is listed, and the data is there", async () => {
    await target.query("CREATE ROLE hosted LOGIN CREATEDB PASSWORD 'h'");
    const url = new URL(target.urlOf("hosted"));
    Object.assign(url, { username: "hosted", password: "h" });
    const { refused } = await restore(shop, url.href, true);
    expect(refused.map((line) => line.slice(0, line.indexOf(";")))).toEqual([
      `the setting "myapp.tenant": permission denied to set parameter "myapp.tenant"`,
      `the setting "log_min_duration_statement": permission denied to set parameter "log_min_duration_statement"`,
    ]);
    expect(await target.query("SELECT count(*)::int AS n FROM public.t", "hosted")).toEqual([{ n: 5 }]);
  });

  test("a function in a check reads a setting of the database: it is there before the data", async () => {
    await source.createDatabase("tenants");
    await source.query("ALTER DATABASE tenants SET myapp.tenant = 'acme'");
    await source.query(
      "CREATE TABLE orders (tenant text CHECK (tenant = current_setting('myapp.tenant'))); INSERT INTO orders VALUES ('acme')",
      "tenants",
    );
    await restore(await backUp("tenants"), target.urlOf("tenants"));
    expect(await target.query("SELECT tenant FROM orders", "tenants")).toEqual([{ tenant: "acme" }]);
  });

  // glibc alone has locales in folders.
  const onLinux = process.platform === "linux" ? test : test.skip;
  onLinux("amounts of money are the same, whatever the locale of the server that they come to", async () => {
    const localesIn = path.join(dir.path, "locales");
    await mkdir(localesIn, { mode: 0o755 });
    await run("localedef", ["--no-archive", "-i", "ja_JP", "-f", "UTF-8", path.join(localesIn, "ja_JP.UTF-8")]);
    await chmod(dir.path, 0o755); // the server's account reads them
    await using japanese = await startPostgres({ localesIn, settings: { lc_monetary: "ja_JP.UTF-8" } });
    await source.createDatabase("till");
    await source.query(
      "CREATE TABLE takings (amount money, amounts money[]); INSERT INTO takings VALUES (0.99, ARRAY[1.5::money])",
      "till",
    );
    const backup = await backUp("till");
    await restore(backup, japanese.urlOf("till"));
    const amounts = "SELECT amount::numeric * 100 AS cents FROM takings";
    // As the server stores it: in the smallest unit of the locale, of which yen have one and C a hundred.
    const read = "SET lc_monetary = 'C'; SELECT amount::text, amounts::text FROM takings";
    expect(await japanese.query(read, "till")).toEqual(await source.query(read, "till"));
    expect(await source.query(amounts, "till")).toEqual([{ cents: "99.00" }]);
  });

  test("amounts written under a locale that the target lacks: refused before a byte is written, with the way out", async () => {
    await source.createDatabase("bazaar");
    await source.query("CREATE TABLE takings (amount money)", "bazaar");
    const { details, archive } = await backUp("bazaar");
    const properties = details.properties && { ...details.properties, moneyLocale: "xx_XX.UTF-8" };
    const foreign = { details: { ...details, properties }, archive };
    const restoring = restore(foreign, target.urlOf("bazaar"));
    await expect(restoring).rejects.toThrow(/type money.* locale xx_XX\.UTF-8, which the target server does not have/);
  });

  test("a library that every session would load is not set, and is named", async () => {
    await source.createDatabase("loads");
    await source.query("ALTER DATABASE loads SET session_preload_libraries = 'auto_explain'");
    const { applied, refused } = await restore(await backUp("loads"), target.urlOf("loads"));
    expect(refused).toEqual([expect.stringContaining(`"session_preload_libraries" is left out`)]);
    expect(applied).not.toContainEqual(expect.stringContaining("session_preload_libraries"));
  });

  test("a backup of an earlier version has none of it, and gives none", async () => {
    const { details, archive } = shop;
    const { properties: _, ...earlier } = details;
    expect(await restore({ details: detailsSchema.parse(earlier), archive }, target.urlOf("earlier"))).toEqual({
      applied: [],
      refused: [],
    });
  });

  test("is described also to a user who may not read the settings", async () => {
    await source.query("CREATE ROLE dumper LOGIN PASSWORD 'd'");
    await source.createDatabase("closed");
    await source.query("REVOKE SELECT ON pg_catalog.pg_db_role_setting FROM PUBLIC", "closed");
    const url = new URL(source.urlOf("closed"));
    Object.assign(url, { username: "dumper", password: "d" });
    const snapshot = await openSnapshot(parseDatabaseUrl(url.href));
    const details = await snapshot.details({ rowCounts: false });
    await snapshot.close();
    expect(details.properties).toMatchObject({ settings: null });
    const connection = parseDatabaseUrl(target.urlOf("closed"));
    await prepareTarget(connection, { details, serverMajor: source.major, force: false });
    const { refused } = await applyProperties(connection, { details, when: "before", noOwner: false });
    expect(refused).toEqual([expect.stringContaining("may not read them")]);
  });
});

describe("a target that is there already", () => {
  test("in another encoding, where bytes would become other texts, is refused before a byte is written", async () => {
    await source.query("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    const { details } = await backUp("ascii");
    await target.query("CREATE DATABASE utf8 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
    const connection = parseDatabaseUrl(target.urlOf("utf8"));
    const options = { details, serverMajor: source.major, force: false };
    await expect(prepareTarget(connection, options)).rejects.toThrow(/encoding is SQL_ASCII, and that of .* is UTF8/);
  });

  test("in another locale is taken, and the difference is named", async () => {
    const { details } = shop;
    await target.query(
      "CREATE DATABASE other_locale TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.utf8' LC_CTYPE 'C'",
    );
    const connection = parseDatabaseUrl(target.urlOf("other_locale"));
    const { differences } = await prepareTarget(connection, { details, serverMajor: source.major, force: false });
    expect(differences).toEqual(["the target's LC_COLLATE is C.utf8, that of the backup C"]);
  });
});
