import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { background, TrivaultError, codeOf, messageOf } from "@trivault/core";
import type { Client } from "pg";
import { connectionError } from "./connection-error.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { sharesProcesses } from "./pooler.ts";
import { guardPassword, userFile, verifiesServer } from "./protection.ts";

/** What a server has to answer a good-bye. */
const END_MS = 5000;
/** And to take the message that a query is not wanted any more. */
const CANCEL_MS = 5000;

/**
 * A connected client, TLS as libpq's sslmode says (PostgreSQL manual, table 34.1). The caller ends it. It has an 'error'
 * listener: a connection lost while idle shows in the next query, and does not end the process. Its search path is pg_catalog.
 */
export async function connect(connection: Connection, signal?: AbortSignal): Promise<Client> {
  let failure: unknown;
  for (const tls of await attempts(connection)) {
    try {
      return await open(connection, tls, signal);
    } catch (error) {
      signal?.throwIfAborted();
      failure ??= error;
      if (!mayTryOtherWay(error)) {
        failure = error;
        break;
      }
    }
  }
  throw connectionError(failure, connection);
}

/** Connects, uses, and always ends. Where `signal` aborts, so does the query that runs, here and on the server. */
export async function withClient<T>(
  connection: Connection,
  use: (client: Client) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = await connect(connection, signal);
  let cancelling = Promise.resolve();
  const cancel = () => {
    cancelling = background(cancelQuery(connection, serverProcessOf(client)));
  };
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await droppedOnAbort(client, signal, () => use(client));
  } finally {
    signal?.removeEventListener("abort", cancel);
    await Promise.allSettled([endClient(client), cancelling]);
  }
}

/**
 * Ends what a session of ours asks. A server notices a client that is gone only when it has something to send: a query behind
 * a lock would wait on for ever. `since`, when its transaction began, distinguishes it from another that has its process by now.
 */
export async function cancelQuery(connection: Connection, pid: number | null, since?: string): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_MS);
  const client = await connect(connection, signal);
  try {
    const text =
      "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND usename = current_user " +
      "AND application_name = $2 AND ($3::timestamptz IS NULL OR xact_start = $3::timestamptz)";
    const { applicationName } = connection;
    await droppedOnAbort(client, signal, () => client.query(text, [pid, applicationName, since ?? null]));
  } finally {
    await endClient(client);
  }
}

/** node-postgres keeps it, and does not say so in its types. */
function serverProcessOf(client: Client): number | null {
  return (client as unknown as { readonly processID?: number | null }).processID ?? null;
}

/** Does `work` with a client. Where `signal` aborts first, the connection is dropped, and its reason thrown. */
export async function droppedOnAbort<T>(
  client: Client,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = () => drop(client);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Says good-bye; a server that does not answer is left without one. */
export async function endClient(client: Client): Promise<void> {
  const hurry = setTimeout(() => drop(client), END_MS);
  try {
    await client.end();
  } finally {
    clearTimeout(hurry);
  }
}

/** At once, whatever it is doing. node-postgres has no call for that. */
function drop(client: Client): void {
  (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.destroy();
}

type Tls = ConnectionOptions | false;

async function open(connection: Connection, ssl: Tls, signal: AbortSignal | undefined): Promise<Client> {
  const client = await logIn(connection, ssl, signal);
  try {
    await droppedOnAbort(client, signal, async () => {
      // Before anything is set.
      const another = () => logIn(connection, ssl, signal);
      if (await sharesProcesses(client, serverProcessOf(client), { another, drop })) throw poolerError(connection);
      // By a search path of its own, a database's owner could have us call what they put in the place of PostgreSQL's.
      await client.query("SET search_path = pg_catalog");
    });
    return client;
  } catch (error) {
    drop(client);
    throw error;
  }
}

function poolerError(connection: Connection): TrivaultError {
  const message =
    `${describeConnection(connection)} is reached through a connection pooler in transaction mode (such as pgbouncer): what pg_dump and ` +
    `pg_restore set would stay behind in the connections of the application, whose queries would then find no tables. Let ${connection.setting} ` +
    "name the server itself, or a port of the pooler that is in session mode (pool_mode = session).";
  return new TrivaultError("DATABASE_REFUSED", message, { permanent: true });
}

/** Connected, and nothing set yet. */
async function logIn(connection: Connection, ssl: Tls, signal: AbortSignal | undefined): Promise<Client> {
  // Loaded here: whoever connects to no database starts without it.
  const pg = await import("pg");
  const client = new pg.Client({
    host: connection.host,
    port: connection.port,
    user: connection.user,
    // A function, because node-postgres takes an absent password from PGPASSWORD or ~/.pgpass, which pg_dump will not see.
    password: () => guard.password(),
    // SCRAM bound to the TLS connection, where the server offers it: nobody sits in between. As libpq does by default.
    enableChannelBinding: true,
    database: connection.database,
    ssl,
    client_encoding: "UTF8",
    application_name: connection.applicationName,
    // Likewise PGOPTIONS.
    options: connection.options ?? (process.env.PGOPTIONS ? " " : undefined),
    connectionTimeoutMillis: connection.connectTimeoutSeconds * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  });
  client.on("error", () => {});
  const guard = guardPassword(client, connection);
  try {
    await droppedOnAbort(client, signal, async () => {
      await client.connect();
      guard.checkLogin();
    });
  } catch (error) {
    // The socket may still be open, for instance after a wrong password.
    drop(client);
    throw error;
  }
  return client;
}

/** The ways to connect, in libpq's order. */
async function attempts(connection: Connection): Promise<Tls[]> {
  // libpq never speaks TLS over a Unix socket.
  if (connection.sslMode === "disable" || connection.host.startsWith("/")) return [false];
  const tls = await tlsOptions(connection);
  if (connection.sslMode === "allow") return [false, tls];
  return connection.sslMode === "prefer" ? [tls, false] : [tls];
}

/** "allow" and "prefer" go on where the server speaks no TLS, or where its pg_hba.conf refuses this way in (28000). */
function mayTryOtherWay(error: unknown): boolean {
  return codeOf(error) === "28000" || /does not support SSL/.test(messageOf(error));
}

async function tlsOptions(connection: Connection): Promise<ConnectionOptions> {
  const mode = connection.sslMode;
  const rootCert = connection.sslRootCert ?? userFile("root.crt");
  const cert = connection.sslCert ?? userFile("postgresql.crt");
  const key = connection.sslKey ?? userFile("postgresql.key");
  const verifies = verifiesServer(connection);
  if (verifies && rootCert === null) {
    throw unreadable(
      `sslmode=${mode} needs the certificate of an authority: add sslrootcert=<file> to ${connection.setting}.`,
    );
  }
  // libpq 16 and later: the certificates that the system trusts.
  const system = rootCert === "system";
  return {
    rejectUnauthorized: verifies,
    ...(verifies && rootCert !== null && !system ? { ca: await read(rootCert, connection) } : {}),
    ...(cert !== null && key !== null ? { cert: await read(cert, connection), key: await read(key, connection) } : {}),
    ...(mode === "verify-full" || system ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function read(file: string, { setting }: Connection): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw unreadable(`The TLS file ${file} of ${setting} cannot be read (${messageOf(cause)}).`, cause);
  }
}

function unreadable(message: string, cause?: unknown): TrivaultError {
  return new TrivaultError("INPUT_INVALID", message, { permanent: true, cause });
}
