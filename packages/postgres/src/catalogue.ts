/** Objects that the user made: not the system's, not an extension's (a restore makes those by CREATE EXTENSION). */
export const USER_SCHEMA = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";
export const notOfExtension = (catalogue: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.${catalogue}'::regclass ` +
  `AND e.objid = ${oid} AND e.deptype = 'e')`;

/** The rows of a query, or an expression of each, as JSON. */
export function list(query: string, element = "pg_catalog.to_json(r)"): string {
  return `(SELECT coalesce(pg_catalog.json_agg(${element}), '[]') FROM (${query}) r)`;
}

/** Columns of `pg_database d` that say in what encoding and locale a database is, named as the fields of `Details`. */
export function localeColumns(major: number): string {
  const provider = "CASE d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END";
  const locale = major >= 17 ? "d.datlocale" : "d.daticulocale";
  return `pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collation, d.datctype AS ctype,
  ${major >= 15 ? provider : "'libc'"} AS "localeProvider", ${major >= 15 ? locale : "NULL"} AS locale`;
}
