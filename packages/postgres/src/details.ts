import type pg from "pg";
import { z } from "zod";
import { list, localeColumns, notOfExtension, USER_SCHEMA } from "./catalogue.ts";
import { propertiesSchema, readProperties } from "./properties.ts";
import type { Selected } from "./selection.ts";

const text = z.string().min(1).max(255);
const count = z.int().nonnegative();

/**
 * What a backup says about its database (`details.zst.age`, encrypted): enough to create one like it, and to count what
 * was restored. Read back from a tier it is untrusted input, hence a schema, and versioned.
 */
export const detailsSchema = z.strictObject({
  format: z.literal("trivault-details"),
  version: z.literal(1),
  database: text,
  server: z.strictObject({ version: z.string().max(80), major: z.int().positive() }),
  encoding: z.string().max(40),
  collation: z.string().max(255),
  ctype: z.string().max(255),
  /** PostgreSQL 15 and later. `locale` is the ICU or built-in one, where the provider is such. */
  localeProvider: z.enum(["libc", "icu", "builtin"]),
  locale: z.string().max(255).nullable(),
  owner: text,
  /** What else belongs to the database itself; backups of earlier versions have none of it. */
  properties: propertiesSchema.optional(),
  /** The size of the data files, indexes included; not the size of a dump. */
  sizeBytes: count,
  extensions: z.array(z.strictObject({ name: text, version: z.string().max(255), schema: text })),
  /** Owners and grantees that a restore needs on the target server. */
  roles: z.array(text),
  schemas: z.array(text),
  tables: z.array(
    z.strictObject({
      schema: text,
      name: text,
      kind: z.enum(["table", "partitioned", "foreign", "materialized view"]),
      /** Exact, in the dump's own snapshot; null where not counted (not asked for, or no rows of its own). */
      rows: count.nullable(),
    }),
  ),
  sequences: count,
  largeObjects: count,
  /** Schemas that the selected tables need and the dump does not hold. A restore makes them. */
  neededSchemas: z.array(text).optional(),
  /** For a selection of schemas: the dump makes `public` itself, which a new database has already. */
  createsPublic: z.boolean().optional(),
});
export type Details = z.infer<typeof detailsSchema>;
export type DetailsTable = Details["tables"][number];

export interface Server {
  readonly version: string;
  readonly major: number;
}

export async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<{ version: string; number: string }>(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number",
  );
  const { version = "", number = "0" } = rows[0] ?? {};
  return { version, major: Math.floor(Number(number) / 10_000) };
}

/** Everything but the row counts; `client` stands in the snapshot. Where not all is dumped, only what is. */
export async function readDetails(client: pg.Client, server: Server, selected: Selected | null): Promise<Details> {
  const { rows } = await client.query<Record<string, unknown>>(databaseQuery(server.major, selected));
  const properties = await readProperties(client, server.major);
  const details = detailsSchema.parse({ format: "trivault-details", version: 1, server, ...rows[0], properties });
  if (selected === null) return details;
  return {
    ...details,
    largeObjects: selected.largeObjects ? details.largeObjects : 0,
    ...(selected.dumpsSchemas ? {} : { neededSchemas: [...selected.schemas] }),
    ...(selected.createsPublic ? { createsPublic: true } : {}),
  };
}

/** Exact rows of each table, one at a time: a dump runs beside it. A table that hides rows from us fails, as in pg_dump. */
export async function countRows(
  client: pg.Client,
  tables: readonly DetailsTable[],
  inRecovery: boolean,
): Promise<DetailsTable[]> {
  const counted: DetailsTable[] = [];
  const unlogged = inRecovery ? await unloggedTables(client) : new Set<string>();
  for (const table of tables) {
    const skipped = table.kind !== "table" || unlogged.has(qualified(client, table));
    counted.push({ ...table, rows: skipped ? null : await countTable(client, table) });
  }
  return counted;
}

/** ONLY: the rows of inheriting tables are counted with those. */
export async function countTable(client: pg.Client, table: { schema: string; name: string }): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ONLY ${qualified(client, table)}`);
  return Number(rows[0]?.count);
}

export function qualified(client: pg.Client, { schema, name }: { schema: string; name: string }): string {
  return `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
}

/** A standby has no rows of unlogged tables, and pg_dump leaves them out there. */
async function unloggedTables(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence = 'u' AND c.relkind = 'r'`,
  );
  return new Set(rows.map((table) => qualified(client, table)));
}

/** One row whose columns are named as the fields of `Details`. Lists come as JSON, which node-postgres parses. */
function databaseQuery(major: number, selected: Selected | null): string {
  // Object ids as the server returned them: digits.
  const ofTables = selected === null ? "" : `AND c.oid = ANY ('{${selected.tables.join(",")}}'::pg_catalog.oid[])`;
  const ofSchemas =
    selected === null ? "" : `AND n.oid IN (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE true ${ofTables})`;
  return `
SELECT d.datname AS database, ${localeColumns(major)},
  pg_catalog.pg_get_userbyid(d.datdba) AS owner,
  pg_catalog.pg_database_size(d.oid)::float8 AS "sizeBytes",
  ${list(`SELECT x.extname AS name, x.extversion AS version, n.nspname AS schema
     FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace ORDER BY 1`)} AS extensions,
  ${list(rolesQuery(), "r.rolname")} AS roles,
  ${list(
    `SELECT n.nspname FROM pg_catalog.pg_namespace n
     WHERE ${USER_SCHEMA} AND ${notOfExtension("pg_namespace", "n.oid")} ${ofSchemas} ORDER BY 1`,
    "r.nspname",
  )} AS schemas,
  ${list(`SELECT n.nspname AS schema, c.relname AS name, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned'
       WHEN 'f' THEN 'foreign' ELSE 'materialized view' END AS kind, NULL::int AS rows
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'm') AND ${USER_SCHEMA} AND ${notOfExtension("pg_class", "c.oid")}
     ${ofTables} ORDER BY 1, 2`)} AS tables,
  (SELECT count(*)::int FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND ${USER_SCHEMA} ${ofTables}) AS sequences,
  (SELECT count(*)::float8 FROM pg_catalog.pg_largeobject_metadata) AS "largeObjects"
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`;
}

/**
 * pg_shdepend lists the roles that own or may use something in this database, but never the bootstrap superuser (it is
 * pinned); the owners of relations, functions and schemas add that one where it matters. FirstNormalObjectId is 16384.
 */
export function rolesQuery(): string {
  return `SELECT DISTINCT a.rolname FROM pg_catalog.pg_roles a WHERE a.rolname NOT LIKE 'pg\\_%' AND a.oid IN (
       SELECT s.refobjid FROM pg_catalog.pg_shdepend s
       WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.deptype IN ('o', 'a', 'r')
         AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
         AND s.classid <> 'pg_catalog.pg_extension'::regclass
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
           WHERE e.classid = s.classid AND e.objid = s.objid AND e.deptype = 'e')
       UNION SELECT c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid >= 16384 AND ${USER_SCHEMA} AND ${notOfExtension("pg_class", "c.oid")}
       UNION SELECT p.proowner FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE p.oid >= 16384 AND ${USER_SCHEMA} AND ${notOfExtension("pg_proc", "p.oid")}
       UNION SELECT n.nspowner FROM pg_catalog.pg_namespace n
         WHERE n.oid >= 16384 AND ${USER_SCHEMA} AND ${notOfExtension("pg_namespace", "n.oid")}
     ) ORDER BY 1`;
}
