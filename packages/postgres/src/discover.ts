import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import { withClient } from "./connect.ts";

/** A catalogue query takes milliseconds; a server that cannot answer within this is not healthy. */
const TIMEOUT_MS = 15_000;

export interface ListedDatabase {
  readonly name: string;
  /** A database that is made anew under the same name has another one. */
  readonly oid: number;
}

/**
 * The databases of a server that can be backed up: no templates, none that takes no connections, and none that an
 * interrupted DROP DATABASE left invalid (datconnlimit -2). One that this user may not enter is among them: its backup then
 * fails and says so, where leaving it out would hide it.
 */
export async function listDatabases(connection: Connection): Promise<ListedDatabase[]> {
  return ask(
    connection,
    `SELECT datname AS name, oid FROM pg_catalog.pg_database
     WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname`,
  );
}

/** Null where the database that is connected to does not say so; every PostgreSQL does. */
export async function databaseOid(connection: Connection): Promise<number | null> {
  const [own] = await ask(
    connection,
    "SELECT datname AS name, oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
  );
  return own?.oid ?? null;
}

async function ask(connection: Connection, query: string): Promise<ListedDatabase[]> {
  return withClient(connection, async (client) => {
    try {
      await client.query(`SET statement_timeout = ${TIMEOUT_MS}`);
      const { rows } = await client.query<{ name: string; oid: number | string }>(query);
      return rows.map(({ name, oid }) => ({ name, oid: Number(oid) }));
    } catch (error) {
      throw connectionError(error, connection);
    }
  });
}
