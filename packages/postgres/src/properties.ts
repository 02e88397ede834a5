import type pg from "pg";
import { z } from "zod";
import { list, USER_SCHEMA } from "./catalogue.ts";

const text = z.string().regex(/^[^\0]*$/);
const name = text.min(1).max(255);

/**
 * What belongs to the database itself, which pg_dump writes only with --create: `ALTER DATABASE … SET`, `ALTER ROLE … IN
 * DATABASE … SET`, comment, rights, connection limit. Its owner and locale stand in the details beside it. Data, out of
 * which a restore builds its own statements.
 */
export const propertiesSchema = z.strictObject({
  comment: text.nullable(),
  /** -1: any number. */
  connectionLimit: z.int().min(-1),
  /** PostgreSQL 16 and later. */
  icuRules: text.nullable(),
  /** In all sessions (role null), or in those of one role. Null: the user who made the backup may not read them. */
  settings: z.array(z.strictObject({ role: name.nullable(), name, value: text })).nullable(),
  /** Null: those that PostgreSQL gives by itself. A grantee of null is PUBLIC. */
  rights: z
    .array(
      z.strictObject({
        grantee: name.nullable(),
        privilege: z.enum(["CONNECT", "CREATE", "TEMPORARY"]),
        grantable: z.boolean(),
      }),
    )
    .nullable(),
  /** `lc_monetary` of the dump's session, where a column is of type money: its texts are read right only under the same. */
  moneyLocale: text.nullable(),
});
export type Properties = z.infer<typeof propertiesSchema>;

/** Of the database that `client` is connected to. */
export async function readProperties(client: pg.Client, major: number): Promise<Properties> {
  const { rows: may } = await client.query<{ settings: boolean }>(
    "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_db_role_setting', 'SELECT') AS settings",
  );
  const { rows } = await client.query<Record<string, unknown>>(propertiesQuery(major, may[0]?.settings ?? false));
  return propertiesSchema.parse(rows[0]);
}

function propertiesQuery(major: number, maySeeSettings: boolean): string {
  const settings = list(`SELECT r.rolname AS role, pg_catalog.split_part(c, '=', 1) AS name,
       pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1) AS value
     FROM pg_catalog.pg_db_role_setting s
       LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) WITH ORDINALITY u (c, place)
     WHERE s.setdatabase = d.oid AND (s.setrole = 0 OR r.oid IS NOT NULL) ORDER BY s.setrole, u.place`);
  const rights =
    list(`SELECT g.rolname AS grantee, a.privilege_type AS privilege, pg_catalog.bool_or(a.is_grantable) AS grantable
     FROM pg_catalog.aclexplode(d.datacl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
     WHERE a.grantee = 0 OR g.oid IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`);
  return `
SELECT pg_catalog.shobj_description(d.oid, 'pg_database') AS comment, d.datconnlimit AS "connectionLimit",
  ${major >= 16 ? "d.daticurules" : "NULL"} AS "icuRules",
  ${maySeeSettings ? settings : "NULL::json"} AS settings,
  CASE WHEN d.datacl IS NULL THEN NULL ELSE ${rights} END AS rights,
  CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE ${USER_SCHEMA} AND a.attnum > 0 AND NOT a.attisdropped AND ${MONEY}
  ) THEN pg_catalog.current_setting('lc_monetary') END AS "moneyLocale"
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`;
}

/** The type itself, arrays, domains and ranges of it; those within composite types come with the columns of the type. */
const MONEY = `'pg_catalog.money'::pg_catalog.regtype IN (t.oid, t.typelem, t.typbasetype,
  (SELECT b.typelem FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype),
  (SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE g.rngtypid = t.oid))`;

/** Roles that own the database, may use it, or have settings in it; a role that may not see the settings leaves those out. */
export function rolesOfDatabase(): string {
  return `SELECT s.refobjid FROM pg_catalog.pg_shdepend s
    WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.classid = 'pg_catalog.pg_database'::regclass
      AND s.objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    UNION SELECT s.setrole FROM pg_catalog.pg_db_role_setting s
    WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`;
}
