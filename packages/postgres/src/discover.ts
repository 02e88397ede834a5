import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import { withClient } from "./connect.ts";

/** A catalogue query takes milliseconds; a server that cannot answer within this is not well. */
const TIMEOUT_MS = 15_000;

/**
 * The databases of a server that can be backed up: no templates, none that takes no connections, and none that an
 * interrupted DROP DATABASE left invalid (datconnlimit -2). One that this user may not enter is among them: its backup then
 * fails and says so, where leaving it out would hide it.
 */
export async function listDatabases(connection: Connection): Promise<string[]> {
  return withClient(connection, async (client) => {
    try {
      await client.query(`SET statement_timeout = ${TIMEOUT_MS}`);
      const { rows } = await client.query<{ name: string }>(
        `SELECT datname AS name FROM pg_catalog.pg_database
         WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2 ORDER BY datname`,
      );
      return rows.map(({ name }) => name);
    } catch (error) {
      throw connectionError(error, connection);
    }
  });
}
