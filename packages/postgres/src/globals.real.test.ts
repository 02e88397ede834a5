import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { expectNoLeaks, type PostgresServer, startPostgres } from "@trivault/testkit";
import { applyGlobals, missingRoles } from "./apply-globals.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { databaseOid } from "./discover.ts";
import { type Globals, namesOnly } from "./globals.ts";
import { decodeGlobals, encodeGlobals } from "./globals-file.ts";
import { openSnapshot } from "./snapshot.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let source: PostgresServer;
let target: PostgresServer;

/** All that pg_dumpall's SQL, cut by lines, made into something else. The database uses what stands in GRANT ON and OWNER. */
const ATTACKS = `
  CREATE ROLE webapp LOGIN PASSWORD 'hush-hush' CONNECTION LIMIT 7 VALID UNTIL '2040-01-02 03:04:05+00';
  COMMENT ON ROLE webapp IS E'it''s\\n\\\\! touch /tmp/owned $roles$';
  ALTER ROLE webapp SET default_tablespace = E'A\\nALTER ROLE postgres y';
  ALTER ROLE webapp SET application_name = ''';ALTER ROLE webapp SUPERUSER;--';
  ALTER ROLE webapp SET search_path = "$user", public, "a, ""b""";
  ALTER ROLE webapp SET log_statement = 'none';
  ALTER ROLE webapp SET app.tenant = '42';
  CREATE ROLE "x\nALTER ROLE postgres NOLOGIN;
CREATE ROLE "" $roles$ '; --";
  CREATE ROLE mighty SUPERUSER CREATEROLE CREATEDB REPLICATION BYPASSRLS;
  CREATE ROLE dba; CREATE ROLE web; GRANT dba TO web;
  CREATE ROLE staff NOINHERIT; CREATE ROLE alice LOGIN PASSWORD 'a'; GRANT staff TO alice WITH ADMIN OPTION;
  GRANT pg_read_server_files TO alice;
  CREATE ROLE stranger LOGIN`;
const USES = `
  CREATE TABLE tills (n int);
  CREATE TABLE goods (n int);
  ALTER TABLE goods OWNER TO webapp;
  GRANT SELECT ON goods TO mighty, dba, web, staff, "x\nALTER ROLE postgres NOLOGIN;
CREATE ROLE "" $roles$ '; --"`;

beforeAll(async () => {
  // With it pg_dumpall quotes every name, and every existing role was taken for a new one.
  const settings = { quote_all_identifiers: "on" };
  [source, target] = await Promise.all([startPostgres({ settings }), startPostgres({ settings })]);
  await source.query(ATTACKS);
  await source.createDatabase("shop");
  await source.query(USES, "shop");
});
afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
});
afterAll(expectNoLeaks());

async function globalsOf(login?: { user: string; password: string }): Promise<Globals> {
  const snapshot = await openSnapshot(parseDatabaseUrl(source.urlOf("shop", login)));
  try {
    const read = await snapshot.globals();
    if ("skipped" in read) throw new Error(read.skipped);
    // Through the file that lies in a backup.
    const decoded = decodeGlobals(encodeGlobals(read.globals));
    expect(decoded).toEqual(read.globals);
    return read.globals;
  } finally {
    await snapshot.close();
  }
}

const apply = (globals: Globals) => applyGlobals(parseDatabaseUrl(target.url), globals);

/** Everything about roles that a statement could have changed. */
const rolesOf = (server: PostgresServer) =>
  server.query(`SELECT a.rolname AS name, a.rolsuper, a.rolcreaterole, a.rolcreatedb, a.rolreplication, a.rolbypassrls,
      a.rolcanlogin AS login, a.rolinherit AS inherit, a.rolconnlimit AS limit, a.rolvaliduntil AS until, a.rolpassword AS password,
      (SELECT setconfig FROM pg_db_role_setting WHERE setrole = a.oid AND setdatabase = 0) AS settings,
      shobj_description(a.oid, 'pg_authid') AS comment,
      ARRAY(SELECT roleid::regrole::text || CASE WHEN admin_option THEN ' admin' ELSE '' END
            FROM pg_auth_members WHERE member = a.oid ORDER BY 1) AS member_of
    FROM pg_authid a WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1`);

/** Each test finds a server with no roles but its own. */
async function withoutRoles(): Promise<void> {
  const names = await target.query(
    "SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> 'postgres'",
  );
  if (names.length > 0) await target.query(`DROP ROLE ${names.map(({ name }) => String(name)).join(", ")}`);
}
beforeEach(withoutRoles);

describe("9.C16 roles are data, and no role becomes more at the target than it was", () => {
  test("only those that the database needs, and their members; passwords only to a superuser", async () => {
    const { roles, memberships } = await globalsOf();
    const names = ["alice", "dba", "mighty", "staff", "web", "webapp", expect.stringMatching(/^x\n/)];
    expect(roles.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(roles.map(({ name }) => name)).not.toContain("stranger");
    const options = source.major >= 16 ? true : null;
    expect(memberships).toContainEqual({ role: "staff", member: "alice", admin: true, inherit: options, set: options });
    expect(roles.find(({ name }) => name === "webapp")?.password).toMatch(/^SCRAM-SHA-256\$/);
    const seen = await globalsOf({ user: "webapp", password: "hush-hush" });
    expect(seen).toEqual({
      memberships,
      tablespaces: [],
      roles: roles.map((role) => ({ ...role, password: null })),
      format: seen.format,
      version: 1,
    });
  });

  test("a new server: all as it was, but nothing that reaches beyond the database; what is left out is reported", async () => {
    const globals = await globalsOf();
    const before = await rolesOf(target);
    const { made, existing, refused } = await apply(globals);
    const all = await rolesOf(target);
    // The target's own superuser, its password included.
    expect(all).toEqual(expect.arrayContaining(before));
    const was = await rolesOf(source);
    const expected = was
      .filter(({ name }) => name !== "postgres" && name !== "stranger")
      .map((role) => {
        const none = {
          rolsuper: false,
          rolcreaterole: false,
          rolcreatedb: false,
          rolreplication: false,
          rolbypassrls: false,
        };
        if (role["name"] === "webapp") {
          const settings = (role["settings"] as string[]).filter(
            (setting) => !/^(?:log_statement|app\.)/.test(setting),
          );
          return { ...role, ...none, settings };
        }
        return { ...role, ...none, ...(role["name"] === "alice" ? { member_of: ['"staff" admin'] } : {}) };
      });
    expect(all.filter(({ name }) => name !== "postgres")).toEqual(expected);
    expect(made).toHaveLength(expected.length);
    expect(existing).toEqual(['the role "postgres" exists and is left as it is']);
    expect(refused.toSorted()).toEqual([
      expect.stringContaining(`"alice" does not become a member of "pg_read_server_files"`),
      ...["BYPASSRLS", "CREATEDB", "CREATEROLE", "REPLICATION", "SUPERUSER"].map(
        (power) => `the role "mighty" is made without ${power}; if it shall be so: ALTER ROLE "mighty" ${power}`,
      ),
      expect.stringContaining(`the setting "app.tenant" of the role "webapp" is left out`),
      expect.stringMatching(
        /^the setting "log_statement" of the role "webapp" .*ALTER ROLE "webapp" SET "log_statement" TO 'none'$/,
      ),
    ]);
    // The password came over.
    const login = { user: "webapp", password: "hush-hush" };
    await (await openSnapshot(parseDatabaseUrl(target.urlOf("postgres", login)))).close();

    // Once more: everything exists, nothing changes.
    expect(await apply(globals)).toMatchObject({ made: [], refused: [] });
    expect(await rolesOf(target)).toEqual(all);
  });

  test("roles that exist at the target are not altered, not granted, and not granted to", async () => {
    await target.query("CREATE ROLE webapp NOLOGIN; CREATE ROLE dba SUPERUSER; CREATE ROLE alice");
    const before = await rolesOf(target);
    const { refused } = await apply(await globalsOf());
    const after = await rolesOf(target);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after.find(({ name }) => name === "web")).toMatchObject({ member_of: [] });
    expect(refused).toContainEqual(
      expect.stringMatching(
        /^"web" does not become a member of "dba", which was not made from this backup; if it shall be so: GRANT "dba" TO "web"/,
      ),
    );
  });

  test("nothing that a database's owner put into its search path is called, by whoever connects to it", async () => {
    const url = await source.createDatabase("trapped");
    await source.query(
      `CREATE SCHEMA trap; CREATE TABLE tills (n int);
      CREATE FUNCTION trap.current_setting(text) RETURNS text LANGUAGE plpgsql
        AS $$ BEGIN ALTER ROLE stranger SUPERUSER; RETURN '150000'; END $$;
      CREATE FUNCTION trap.same(name, name) RETURNS bool LANGUAGE plpgsql
        AS $$ BEGIN ALTER ROLE stranger SUPERUSER; RETURN true; END $$;
      CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.same);
      ALTER DATABASE trapped SET search_path = trap, public, pg_catalog`,
      "trapped",
    );
    const connection = parseDatabaseUrl(url);
    const snapshot = await openSnapshot(connection);
    const selection = { schemas: [], tables: ["tills"], excludeSchemas: [], excludeTables: [] };
    expect((await snapshot.details({ rowCounts: true, selection })).tables).toMatchObject([{ name: "tills" }]);
    await snapshot.globals();
    await snapshot.close();
    expect(await databaseOid(connection)).toBeGreaterThan(0);
    expect(await missingRoles(connection, ["nobody-here"])).toEqual(["nobody-here"]);
    expect(await source.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'stranger'")).toEqual([
      { rolsuper: false },
    ]);
  });

  test("nothing that somebody put into the target's search path is called", async () => {
    await target.query(`CREATE SCHEMA trap;
      CREATE FUNCTION trap.same(name, name) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE webapp SUPERUSER; RETURN false; END $$;
      CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.same);
      CREATE ROLE webapp; ALTER DATABASE postgres SET search_path = trap, pg_catalog`);
    try {
      expect((await apply(namesOnly(["webapp"]))).existing).toHaveLength(1);
      expect(await rolesOf(target)).toContainEqual(expect.objectContaining({ name: "webapp", rolsuper: false }));
    } finally {
      await target.query("ALTER DATABASE postgres RESET search_path");
      await target.query("DROP SCHEMA trap CASCADE");
    }
  });

  test("an administrator who may not make a role gets an error, and so does whoever restores", async () => {
    await target.query("CREATE ROLE plain LOGIN PASSWORD 'p'");
    const connection = parseDatabaseUrl(target.urlOf("postgres", { user: "plain", password: "p" }));
    const { made, refused } = await applyGlobals(connection, namesOnly(["shopkeeper"]));
    expect([made, refused]).toEqual([
      [],
      [expect.stringMatching(/^the role "shopkeeper" could not be made: permission denied/)],
    ]);
    expect(await missingRoles(connection, ["shopkeeper", "plain"])).toEqual(["shopkeeper"]);
  });

  test("a tablespace is made where its folder is; where not, that is reported", async () => {
    const tablespaces = [{ name: `fa"st`, location: "/no/such/folder" }];
    const { refused } = await apply({ ...namesOnly([]), tablespaces });
    expect(refused).toEqual([expect.stringMatching(/^the tablespace "fa\\"st" could not be made: .*does not exist/)]);
  });

  test("by hand, psql makes the same of the file in a backup", async () => {
    const globals = await globalsOf();
    await apply(globals);
    const byUs = (await rolesOf(target)).filter(({ name }) => name !== "postgres");
    await withoutRoles();
    const psql = promisify(execFile)(`${target.binDir}/psql`, ["-X", "-d", target.url], { encoding: "utf8" });
    psql.child.stdin?.on("error", () => {}).end(encodeGlobals(globals)); // psql's status says what was the matter
    expect((await psql).stderr).toMatch(/WARNING: +the role "mighty" is made without SUPERUSER/);
    expect((await rolesOf(target)).filter(({ name }) => name !== "postgres")).toEqual(byUs);
  });

  test("pg_dumpall's script of old is known as such, and never carried out", () => {
    expect(
      decodeGlobals(Buffer.from("--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE dba SUPERUSER;\n")),
    ).toBeNull();
    expect(() => decodeGlobals(Buffer.from(`-- trivault-globals {"roles":[{"name":"a\\u0000"}]}\n`))).toThrow(
      /cannot be read/,
    );
  });
});
