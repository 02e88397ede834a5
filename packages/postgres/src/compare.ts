import { codeOf } from "@trivault/core";
import type { Client } from "pg";
import { withClient } from "./connect.ts";
import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import { type Details, countTable, qualified, readDetails, readServer } from "./details.ts";

export interface RowDifference {
  /** `schema.table` */
  readonly table: string;
  readonly expected: number;
  /** Null: there is no such table. */
  readonly found: number | null;
}

/** Counts every table that was counted when the backup was made. An empty list says that all agree. */
export async function compareRows(
  connection: Connection,
  details: Details,
  signal?: AbortSignal,
): Promise<RowDifference[]> {
  const count = async (client: Client) => {
    const differences: RowDifference[] = [];
    for (const table of details.tables) {
      if (table.rows === null) continue;
      const found = await countIfExists(client, table);
      if (found === table.rows) continue;
      differences.push({ table: `${table.schema}.${table.name}`, expected: table.rows, found });
    }
    return differences;
  };
  return inDatabase(connection, count, signal);
}

export interface TableDigest {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  /** Equal for equal sets of rows, whatever their order on disk. */
  readonly digest: string;
}

/**
 * A digest of all that a dump carries over as data: rows of tables and materialized views, sequences, large objects.
 * Each row is hashed as text to 64 bits, and the hashes are summed exactly, which does not depend on the order. (A second
 * hash would double the time, nearly all of which makes the texts.) Against accidents, not against forgers.
 */
export async function digestDatabase(connection: Connection): Promise<TableDigest[]> {
  return inDatabase(connection, async (client) => {
    const { tables } = await readDetails(client, await readServer(client), null);
    const digests: TableDigest[] = [];
    for (const { schema, name, kind } of tables) {
      if (kind !== "table" && kind !== "materialized view") continue;
      // `t.*` is the row even where a column is named t.
      const from = `${kind === "table" ? "ONLY " : ""}${qualified(client, { schema, name })} AS t`;
      digests.push({ schema, name, ...(await digest(client, "(t.*)::text", from)) });
    }
    for (const { schema, name } of await sequences(client)) {
      // Not log_cnt: it counts down inside the server and is not dumped.
      const row = "ROW(t.last_value, t.is_called)::text";
      digests.push({ schema, name, ...(await digest(client, row, `${qualified(client, { schema, name })} AS t`)) });
    }
    const large = await digest(client, "t.oid || ' ' || md5(lo_get(t.oid))", "pg_largeobject_metadata AS t");
    return [...digests, { schema: "pg_catalog", name: "pg_largeobject", ...large }];
  });
}

async function digest(client: Client, row: string, from: string): Promise<{ rows: number; digest: string }> {
  const { rows } = await client.query<{ rows: string; digest: string }>(
    `SELECT count(*) AS rows, coalesce(sum(hashtextextended(${row} COLLATE "C", 0)), 0)::text AS digest FROM ${from}`,
  );
  const { rows: count = "0", digest: sum = "" } = rows[0] ?? {};
  return { rows: Number(count), digest: sum };
}

async function sequences(client: Client): Promise<{ schema: string; name: string }[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    "SELECT schemaname AS schema, sequencename AS name FROM pg_catalog.pg_sequences ORDER BY 1, 2",
  );
  return rows;
}

async function countIfExists(client: Client, table: { schema: string; name: string }): Promise<number | null> {
  try {
    return await countTable(client, table);
  } catch (error) {
    // undefined_table, invalid_schema_name
    if (codeOf(error) === "42P01" || codeOf(error) === "3F000") return null;
    throw error;
  }
}

/** Settings under which equal values have equal texts, and no policy hides a row. */
async function inDatabase<T>(
  connection: Connection,
  use: (client: Client) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const work = async (client: Client) => {
    try {
      await client.query(
        `SET row_security = off; SET statement_timeout = 0; SET TimeZone = 'UTC';
         SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'`,
      );
      return await use(client);
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, connection);
    }
  };
  return withClient(connection, work, signal);
}
