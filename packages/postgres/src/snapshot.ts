import type { Selection } from "@trivault/core";
import type pg from "pg";
import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import { connect } from "./connect.ts";
import { type Details, type Server, countRows, readDetails, readServer } from "./details.ts";
import { describeProtection } from "./protection.ts";
import { type ReadGlobals, readGlobals } from "./read-globals.ts";
import { isEverything, readSelected } from "./selection.ts";

/** One moment of a database, held open: the dump and the row counts see exactly the same rows. */
export interface Snapshot {
  /** For pg_dump --snapshot; good while this snapshot is open. */
  readonly snapshotId: string;
  readonly server: Server;
  /** See protection.ts. */
  readonly protection: string;
  /** Of all, or of what the dump with this selection holds. */
  details(options: { rowCounts: boolean; selection?: Selection | undefined }): Promise<Details>;
  /** The roles and tablespaces that the database needs. */
  globals(): Promise<ReadGlobals>;
  /** Ends the transaction, and a count that still runs. May be called twice. */
  close(): Promise<void>;
}

/** Timeouts that a server or role may set and that would end a long backup, with the version that brought each. */
const TIMEOUTS: readonly (readonly [since: number, name: string])[] = [
  [9, "statement_timeout"],
  [9, "lock_timeout"],
  [9, "idle_in_transaction_session_timeout"],
  [17, "transaction_timeout"],
];

export async function openSnapshot(connection: Connection): Promise<Snapshot> {
  const client = await connect(connection);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw connectionError(error, connection);
    }
  };
  try {
    return await guarded(() => begin(client, describeProtection(connection, client), guarded));
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function begin(
  client: pg.Client,
  protection: string,
  guarded: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Snapshot> {
  const server = await readServer(client);
  for (const [since, name] of TIMEOUTS) if (server.major >= since) await client.query(`SET ${name} = 0`);
  // Rows hidden by a policy make a query fail instead of counting too few; pg_dump does the same.
  await client.query("SET row_security = off");
  await client.query("SET search_path = pg_catalog");
  await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const { rows } = await client.query<{ id: string; recovery: boolean }>(
    "SELECT pg_catalog.pg_export_snapshot() AS id, pg_catalog.pg_is_in_recovery() AS recovery",
  );
  const { id = "", recovery = false } = rows[0] ?? {};
  let closing: Promise<void> | undefined;
  return {
    snapshotId: id,
    server,
    protection,
    details: ({ rowCounts, selection }) =>
      guarded(async () => {
        const selected = selection && !isEverything(selection) ? await readSelected(client, selection) : null;
        const details = await readDetails(client, server, selected);
        return rowCounts ? { ...details, tables: await countRows(client, details.tables, recovery) } : details;
      }),
    globals: () => guarded(() => readGlobals(client, server.major)),
    // end() drops the connection at once where a query still runs; the server rolls back.
    close: () => (closing ??= client.end()),
  };
}
