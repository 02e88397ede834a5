import { type Selection, TrivaultError } from "@trivault/core";
import type pg from "pg";

/** What a dump with a selection holds: the row counts and the restore go by it. */
export interface Selected {
  /** Tables of all kinds that a dump knows, sequences and views included. */
  readonly tables: readonly string[];
  /** Schemas of those tables. */
  readonly schemas: readonly string[];
  /** pg_dump leaves large objects out as soon as anything is included by name. */
  readonly largeObjects: boolean;
  /** pg_dump leaves CREATE SCHEMA out where tables are named. */
  readonly dumpsSchemas: boolean;
  /** And writes it for `public` too where that is named, which every new database has already. */
  readonly createsPublic: boolean;
}

export function isEverything({ schemas, tables, excludeSchemas, excludeTables }: Selection): boolean {
  return schemas.length + tables.length + excludeSchemas.length + excludeTables.length === 0;
}

/** For pg_dump; a pattern of what is to be included that matches nothing makes it fail. */
export function selectionArguments(selection: Selection, pgDumpMajor: number): string[] {
  if (isEverything(selection)) return [];
  const { schemas, tables, excludeSchemas, excludeTables } = selection;
  const includes = schemas.length + tables.length > 0;
  return [
    "--strict-names",
    ...schemas.map((pattern) => `--schema=${pattern}`),
    ...tables.map((pattern) => `--table=${pattern}`),
    ...excludeSchemas.map((pattern) => `--exclude-schema=${pattern}`),
    ...excludeTables.map((pattern) => `--exclude-table=${pattern}`),
    // Otherwise left out, and then no table restores that has a column of an extension's type.
    ...(includes && pgDumpMajor >= 14 ? ["--extension=*"] : []),
  ];
}

/** Asks the server what pg_dump will select: the same rules (selectDumpableTable in pg_dump.c), in the same snapshot. */
export async function readSelected(client: pg.Client, selection: Selection): Promise<Selected> {
  const { rows } = await client.query<Row>(tablesQuery(client, selection, await visibleTables(client, selection)));
  const publicSchema = await takesPublic(client, selection);
  const chosen = rows.filter(({ chosen: yes }) => yes);
  if (selection.tables.length > 0) checkPartitions(rows);
  const includes = selection.schemas.length + selection.tables.length > 0;
  const schemas = [...new Set(chosen.map(({ schema }) => schema))].toSorted();
  return {
    tables: chosen.map(({ oid }) => oid),
    schemas,
    largeObjects: !includes,
    dumpsSchemas: selection.tables.length === 0,
    createsPublic: selection.schemas.length > 0 && publicSchema,
  };
}

/**
 * Ids, as an array of PostgreSQL's: a pattern without a schema means what the user's own search path finds. That path may lead
 * to operators and functions of somebody else, so nothing is asked under it that could be one.
 */
async function visibleTables(client: pg.Client, { tables, excludeTables }: Selection): Promise<string> {
  if ([...tables, ...excludeTables].every((pattern) => parts(pattern).length > 1)) return "{}";
  await client.query("RESET search_path");
  const { rows } = await client.query<{ oids: string | null }>(
    `SELECT pg_catalog.array_agg(c.oid)::pg_catalog.text AS oids FROM pg_catalog.pg_class c
     WHERE pg_catalog.pg_table_is_visible(c.oid)`,
  );
  await client.query("SET search_path = pg_catalog");
  return rows[0]?.oids ?? "{}";
}

/** Whether or not it holds a table. */
async function takesPublic(client: pg.Client, { schemas, excludeSchemas }: Selection): Promise<boolean> {
  const any = (patterns: readonly string[]) =>
    ["false", ...patterns.map((pattern) => schemaMatches(client, pattern))].join(" OR ");
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public' AND (${any(schemas)}) AND NOT (${any(excludeSchemas)})`,
  );
  return rows.length > 0;
}

function schemaMatches(client: pg.Client, pattern: string): string {
  return matches(client, "n.nspname", parts(pattern).at(-1) ?? "");
}

interface Row {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly parent: string | null;
  readonly chosen: boolean;
}

/** A partitioned table has no rows of its own: named without its partitions, it would be saved empty. */
function checkPartitions(rows: readonly Row[]): void {
  const byId = new Map(rows.map((row) => [row.oid, row]));
  for (const row of rows) {
    const parent = row.parent === null ? undefined : byId.get(row.parent);
    if (row.chosen || !parent?.chosen) continue;
    throw new TrivaultError(
      "DUMP_FAILED",
      `include.tables takes the partitioned table ${parent.schema}.${parent.name} without its partition ` +
        `${row.schema}.${row.name}, so its rows would be missing: name the partitions too, for instance by ${parent.schema}.${parent.name}*.`,
      { permanent: true },
    );
  }
}

function tablesQuery(client: pg.Client, selection: Selection, visible: string): string {
  const some = (patterns: readonly string[], condition: (pattern: string) => string) =>
    `(${patterns.map(condition).join(" OR ")})`;
  const inSchema = (pattern: string) => schemaMatches(client, pattern);
  const tableMatches = (pattern: string) => {
    const [name = "", schema] = parts(pattern).toReversed();
    const isVisible = `c.oid = ANY (${client.escapeLiteral(visible)}::oid[])`;
    const where = schema === undefined ? isVisible : matches(client, "n.nspname", schema);
    return `(${matches(client, "c.relname", name)} AND ${where})`;
  };
  const conditions = ["true"];
  if (selection.tables.length > 0) conditions.push(some(selection.tables, tableMatches));
  else if (selection.schemas.length > 0) conditions.push(some(selection.schemas, inSchema));
  if (selection.excludeSchemas.length > 0) conditions.push(`NOT ${some(selection.excludeSchemas, inSchema)}`);
  if (selection.excludeTables.length > 0) conditions.push(`NOT ${some(selection.excludeTables, tableMatches)}`);
  return `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, ${conditions.join(" AND ")} AS chosen,
      CASE WHEN c.relispartition THEN i.inhparent::text END AS parent
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid AND c.relispartition
    WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p')`;
}

/** By name, which has a collation of its own that would refuse regular expressions. */
function matches(client: pg.Client, column: string, expression: string): string {
  return `${column} OPERATOR(pg_catalog.~) ${client.escapeLiteral(expression)} COLLATE pg_catalog."default"`;
}

/**
 * psql's patterns → regular expressions, one for each part between dots (patternToSQLRegex in string_utils.c): `*` and `?`
 * are wild, quotes take the rest literally, letters outside them count as small, all else is a regular expression.
 */
export function parts(pattern: string): string[] {
  const expressions = [""];
  const add = (text: string) => (expressions[expressions.length - 1] += text);
  let quoted = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] ?? "";
    if (character === '"') {
      if (quoted && pattern[i + 1] === '"') {
        add('"');
        i++;
      } else quoted = !quoted;
    } else if (character === "$") add(String.raw`\$`);
    else if (quoted) add(/[|*+?()[\]{}.^\\]/.test(character) ? `\\${character}` : character);
    else if (character === "*") add(".*");
    else if (character === "?") add(".");
    else if (character === ".") expressions.push("");
    else if (character === "[" && pattern[i + 1] === "]") add(String.raw`\[`);
    else add(/[A-Z]/.test(character) ? character.toLowerCase() : character);
  }
  return expressions.map((expression) => `^(${expression})$`);
}
