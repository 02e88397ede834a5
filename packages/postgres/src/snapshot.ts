import { background, type Selection } from "@trivault/core";
import type pg from "pg";
import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import { cancelQuery, connect, droppedOnAbort, endClient } from "./connect.ts";
import { type Details, type Server, countRows, readDetails, readServer } from "./details.ts";
import { describeProtection } from "./protection.ts";
import { type ReadGlobals, readGlobals } from "./read-globals.ts";
import { isEverything, readSelected } from "./selection.ts";

export interface DetailsOptions {
  readonly rowCounts: boolean;
  readonly selection?: Selection | undefined;
  /** Ends a query that still runs, here and on the server, and with it this snapshot. */
  readonly signal?: AbortSignal | undefined;
}

/** One moment of a database, held open: the dump and the row counts see exactly the same rows. */
export interface Snapshot {
  /** For pg_dump --snapshot; good while this snapshot is open. */
  readonly snapshotId: string;
  readonly server: Server;
  /** See protection.ts. */
  readonly protection: string;
  /** The details of the whole database, or of what the dump with this selection holds. */
  details(options: DetailsOptions): Promise<Details>;
  /** The roles and tablespaces that the database needs. A signal ends the query, and this snapshot. */
  globals(signal?: AbortSignal): Promise<ReadGlobals>;
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

export async function openSnapshot(connection: Connection, signal?: AbortSignal): Promise<Snapshot> {
  const client = await connect(connection, signal);
  try {
    return await droppedOnAbort(client, signal, () => begin(client, connection));
  } catch (error) {
    await endClient(client);
    signal?.throwIfAborted();
    throw connectionError(error, connection);
  }
}

async function begin(client: pg.Client, connection: Connection): Promise<Snapshot> {
  const server = await readServer(client);
  for (const [since, name] of TIMEOUTS) if (server.major >= since) await client.query(`SET ${name} = 0`);
  // Rows hidden by a policy make a query fail instead of counting too few; pg_dump does the same.
  await client.query("SET row_security = off");
  await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const { rows } = await client.query<{ id: string; recovery: boolean; pid: number; since: string }>(
    `SELECT pg_catalog.pg_export_snapshot() AS id, pg_catalog.pg_is_in_recovery() AS recovery,
       pg_catalog.pg_backend_pid() AS pid, pg_catalog.now()::pg_catalog.text AS since`,
  );
  const [session] = rows;
  let cancelling: Promise<void> | null = null;
  let closing: Promise<void> | undefined;
  const cancel = () => {
    cancelling ??= background(cancelQuery(connection, session?.pid ?? null, session?.since));
  };
  const cancellable = async <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await droppedOnAbort(client, signal, work);
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, connection);
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };
  return {
    snapshotId: session?.id ?? "",
    server,
    protection: describeProtection(connection, client),
    details: ({ rowCounts, selection, signal }) =>
      cancellable(signal, async () => {
        const selected = selection && !isEverything(selection) ? await readSelected(client, selection) : null;
        const details = await readDetails(client, server, selected);
        return rowCounts
          ? { ...details, tables: await countRows(client, details.tables, session?.recovery ?? false) }
          : details;
      }),
    globals: (signal) => cancellable(signal, () => readGlobals(client, server.major)),
    // end() drops the connection at once where a query still runs; the server rolls back.
    close: () => (closing ??= Promise.allSettled([endClient(client), cancelling]).then(() => undefined)),
  };
}
