import type pg from "pg";
import { type Globals, globalsSchema, PASSWORD_HASH, POWERS } from "./globals.ts";
import { list } from "./catalogue.ts";
import { rolesQuery } from "./details.ts";
import { rolesOfDatabase } from "./properties.ts";

export type ReadGlobals = { readonly globals: Globals } | { readonly skipped: string };

/**
 * Reads what `Globals` says, in the snapshot that `client` stands in. Where the server keeps these catalogues from its users,
 * the backup goes on without: `skipped` says why.
 */
export async function readGlobals(client: pg.Client, major: number): Promise<ReadGlobals> {
  const { rows: may } = await client.query<{ passwords: boolean; others: boolean }>(
    `SELECT has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT') AS passwords,
       has_table_privilege('pg_catalog.pg_auth_members', 'SELECT')
         AND has_table_privilege('pg_catalog.pg_db_role_setting', 'SELECT') AS others`,
  );
  if (may[0]?.others !== true) return { skipped: "the user may not read pg_auth_members and pg_db_role_setting" };
  const { rows } = await client.query<Record<string, unknown>>(globalsQuery(major, may[0].passwords));
  return { globals: globalsSchema.parse({ format: "trivault-globals", version: 1, ...rows[0] }) };
}

/** One row whose columns are named as the fields of `Globals`. */
function globalsQuery(major: number, passwords: boolean): string {
  // PostgreSQL 16 and later: a membership may be there for administration alone.
  const uses = major >= 16 ? "(m.inherit_option OR m.set_option)" : "true";
  const options = (column: string): string => (major >= 16 ? `pg_catalog.bool_or(m.${column}_option)` : "NULL::bool");
  const hash = `(SELECT a.rolpassword FROM pg_catalog.pg_authid a WHERE a.oid = r.oid AND a.rolpassword ~ '${PASSWORD_HASH}')`;
  const powers = POWERS.map((power) => `CASE WHEN r.${COLUMN[power]} THEN '${power}' END`).join(", ");
  return `
WITH RECURSIVE needed (oid, super) AS (
  SELECT r.oid, r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname IN (${rolesQuery()})
    OR r.oid IN (${rolesOfDatabase()}) AND r.rolname NOT LIKE 'pg\\_%' AND r.oid >= 16384
  UNION
  SELECT r.oid, r.rolsuper FROM needed n
    JOIN pg_catalog.pg_auth_members m ON m.roleid = n.oid AND NOT n.super AND ${uses}
    JOIN pg_catalog.pg_roles r ON r.oid = m.member AND r.rolname NOT LIKE 'pg\\_%'
)
SELECT
  ${list(`SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolinherit AS inherit,
       pg_catalog.array_remove(ARRAY[${powers}], NULL) AS powers,
       r.rolconnlimit AS "connectionLimit",
       CASE WHEN pg_catalog.isfinite(r.rolvaliduntil)
         THEN pg_catalog.to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US "UTC"')
         ELSE r.rolvaliduntil::text END AS "validUntil",
       ${passwords ? hash : "NULL"} AS password,
       pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment,
       ${list(`SELECT pg_catalog.split_part(c, '=', 1) AS name, pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1) AS value
          FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c
          WHERE s.setrole = r.oid AND s.setdatabase = 0`)} AS settings
     FROM pg_catalog.pg_roles r WHERE r.oid IN (SELECT oid FROM needed) ORDER BY 1`)} AS roles,
  ${list(`SELECT g.rolname AS role, r.rolname AS member, pg_catalog.bool_or(m.admin_option) AS admin,
       ${options("inherit")} AS inherit, ${options("set")} AS set
     FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
       JOIN pg_catalog.pg_roles r ON r.oid = m.member
     WHERE m.member IN (SELECT oid FROM needed) GROUP BY 1, 2 ORDER BY 1, 2`)} AS memberships,
  ${list(`SELECT t.spcname AS name, pg_catalog.pg_tablespace_location(t.oid) AS location
     FROM pg_catalog.pg_tablespace t WHERE t.spcname NOT LIKE 'pg\\_%'
       AND t.oid IN (SELECT c.reltablespace FROM pg_catalog.pg_class c) ORDER BY 1`)} AS tablespaces`;
}

const COLUMN: Readonly<Record<(typeof POWERS)[number], string>> = {
  SUPERUSER: "rolsuper",
  CREATEROLE: "rolcreaterole",
  CREATEDB: "rolcreatedb",
  REPLICATION: "rolreplication",
  BYPASSRLS: "rolbypassrls",
};
