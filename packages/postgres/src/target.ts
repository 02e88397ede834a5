import { TrivaultError, codeOf } from "@trivault/core";
import type { Client } from "pg";
import { connect, withClient } from "./connect.ts";
import { connectionError } from "./connection-error.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { notOfExtension, USER_SCHEMA } from "./catalogue.ts";
import { type Details, readServer } from "./details.ts";
import { compareLocale } from "./target-locale.ts";

export interface Target {
  /** True where the database did not exist and was made. */
  readonly created: boolean;
  /** The major version of the target's server. */
  readonly major: number;
  /** In what encoding and locale of a database that was there differ from the backup's, a sentence each. */
  readonly differences: readonly string[];
  /** Removes the database if it was made here, with all that a failed restore left in it; otherwise does nothing. */
  drop(): Promise<void>;
}

export interface TargetOptions {
  /** The details of the backup, for encoding and locale; null where it has none. */
  readonly details: Details | null;
  /** The source's server. */
  readonly serverMajor: number;
  /** Into a database that holds something already. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Makes the database that a restore goes into, or makes sure that it is empty. */
export async function prepareTarget(connection: Connection, options: TargetOptions): Promise<Target> {
  const created = await createIfMissing(connection, options);
  const drop = async (): Promise<void> => {
    if (created) await dropDatabase(connection);
  };
  try {
    const look = await checkTarget(connection, options);
    await prepareSchemas(connection, options);
    return { created, ...look, drop };
  } catch (error) {
    await drop();
    throw error;
  }
}

async function checkTarget(
  connection: Connection,
  { details, serverMajor, force, signal }: TargetOptions,
): Promise<Pick<Target, "major" | "differences">> {
  const look = async (client: Client) => {
    const { major } = await readServer(client);
    checkMajor(connection, major, serverMajor);
    const differences = details === null ? [] : await compareLocale(client, major, connection, details);
    return { major, differences, objects: await userObjects(client) };
  };
  const { major, differences, objects } = await withClient(connection, look, signal);
  if (force || objects.length === 0) return { major, differences };
  const message =
    `The target, ${describeConnection(connection)}, is not empty: it holds ${objects.join(", ")}${objects.length === 3 ? ", …" : ""}. ` +
    "Nothing was changed. Name a database that does not exist yet (it will be made), or say --force to restore into this one.";
  throw new TrivaultError("TARGET_NOT_EMPTY", message, { permanent: true });
}

/** A backup of single tables holds no CREATE SCHEMA, and one of single schemas holds it for `public`, too. */
async function prepareSchemas(connection: Connection, { details, force, signal }: TargetOptions): Promise<void> {
  const { neededSchemas = [], createsPublic = false } = details ?? {};
  if (neededSchemas.length === 0 && !createsPublic) return;
  const prepare = async (client: Client) => {
    try {
      for (const schema of neededSchemas) {
        await client.query(`CREATE SCHEMA IF NOT EXISTS ${client.escapeIdentifier(schema)}`);
      }
      // The target is empty, and RESTRICT makes sure of it.
      if (createsPublic && !force) await client.query("DROP SCHEMA IF EXISTS public RESTRICT");
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, connection);
    }
  };
  await withClient(connection, prepare, signal);
}

function checkMajor(connection: Connection, major: number, serverMajor: number): void {
  if (major >= serverMajor) return;
  const message =
    `The backup comes from PostgreSQL ${serverMajor}, and the server of ${describeConnection(connection)} runs the older ${major}; ` +
    `PostgreSQL does not support restoring into an older version. Restore into PostgreSQL ${serverMajor} or later.`;
  throw new TrivaultError("RESTORE_FAILED", message, { permanent: true });
}

async function createIfMissing(connection: Connection, { details, serverMajor }: TargetOptions): Promise<boolean> {
  try {
    await (await connect(connection)).end();
    return false;
  } catch (error) {
    if (sqlState(error) !== "3D000") throw error;
  }
  return withMaintenance(connection, async (client) => {
    const { major } = await readServer(client);
    checkMajor(connection, major, serverMajor);
    const name = client.escapeIdentifier(connection.database);
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ${details ? locale(client, details, major) : ""}`);
      return true;
    } catch (error) {
      // Somebody else made it in the meantime: then it is theirs, and must be empty.
      if (codeOf(error) === "42P04") return false;
      throw cannotCreate(error, connection, details);
    }
  });
}

function locale(client: Client, details: Details, major: number): string {
  const text = (value: string): string => client.escapeLiteral(value);
  const parts = [
    `ENCODING ${text(details.encoding)}`,
    `LC_COLLATE ${text(details.collation)}`,
    `LC_CTYPE ${text(details.ctype)}`,
  ];
  if (major >= 15 && details.localeProvider !== "libc" && details.locale !== null) {
    const option = details.localeProvider === "icu" ? "ICU_LOCALE" : "BUILTIN_LOCALE";
    parts.push(`LOCALE_PROVIDER ${details.localeProvider}`, `${option} ${text(details.locale)}`);
    const rules = details.properties?.icuRules ?? null;
    if (major >= 16 && rules !== null) parts.push(`ICU_RULES ${text(rules)}`);
  }
  return parts.join(" ");
}

function cannotCreate(error: unknown, connection: Connection, details: Details | null): TrivaultError {
  const reason = connectionError(error, connection);
  const wanted = details ? ` (encoding ${details.encoding}, locale ${details.locale ?? details.collation})` : "";
  const message =
    `The database ${JSON.stringify(connection.database)} could not be made${wanted}: ${reason.message} ` +
    "Or make it yourself, as you want it, and restore into it while it is empty.";
  return new TrivaultError("RESTORE_FAILED", message, { permanent: reason.permanent, cause: error });
}

async function dropDatabase(connection: Connection): Promise<void> {
  await withMaintenance(connection, async (client) => {
    const name = client.escapeIdentifier(connection.database);
    // FORCE (13 and later): a pg_restore that was killed a moment ago may still have its session.
    const { major } = await readServer(client);
    await client.query(`DROP DATABASE IF EXISTS ${name}${major >= 13 ? " WITH (FORCE)" : ""}`);
  });
}

/** CREATE and DROP DATABASE need a connection to another one; these two exist nearly everywhere. */
async function withMaintenance<T>(connection: Connection, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect({ ...connection, database: "postgres" }).catch(() =>
    connect({ ...connection, database: "template1" }),
  );
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function sqlState(error: unknown): string | undefined {
  return error instanceof TrivaultError ? codeOf(error.cause) : undefined;
}

/** Up to three things that a user made in the database. Extensions alone leave it empty: many servers come with some. */
async function userObjects(client: Client): Promise<string[]> {
  const inSchema = (catalogue: string, prefix: string): string =>
    `FROM pg_catalog.${catalogue} o JOIN pg_catalog.pg_namespace n ON n.oid = o.${prefix}namespace
     WHERE ${USER_SCHEMA} AND ${notOfExtension(catalogue, "o.oid")}`;
  const { rows } = await client.query<{ object: string }>(`
    SELECT pg_catalog.format('the relation %I.%I', n.nspname, o.relname) AS object ${inSchema("pg_class", "rel")}
      AND o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    UNION ALL SELECT pg_catalog.format('the function %I.%I', n.nspname, o.proname) ${inSchema("pg_proc", "pro")}
    UNION ALL SELECT pg_catalog.format('the type %I.%I', n.nspname, o.typname) ${inSchema("pg_type", "typ")}
      AND o.typtype IN ('d', 'e', 'r')
    UNION ALL SELECT pg_catalog.format('the schema %I', n.nspname) FROM pg_catalog.pg_namespace n
      WHERE ${USER_SCHEMA} AND n.nspname <> 'public' AND ${notOfExtension("pg_namespace", "n.oid")}
    UNION ALL SELECT 'the large object ' || oid FROM pg_catalog.pg_largeobject_metadata
    LIMIT 3`);
  return rows.map(({ object }) => object);
}

export interface TargetLook {
  /** `absent`: it can be made. `occupied`: it holds something, which a restore would not touch. */
  readonly state: "absent" | "empty" | "occupied";
  /** Some of what it holds. */
  readonly objects: readonly string[];
  /** The server's major version. */
  readonly major: number;
  /** Whether the user may make a database. */
  readonly mayCreate: boolean;
}

/** Looks at what a restore would find, and changes nothing. */
export async function lookAtTarget(connection: Connection): Promise<TargetLook> {
  const server = await withMaintenance(connection, async (client) => {
    const { rows } = await client.query<{ exists: boolean; may: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1) AS "exists",
              (SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS may`,
      [connection.database],
    );
    return {
      major: (await readServer(client)).major,
      exists: rows[0]?.exists ?? false,
      mayCreate: rows[0]?.may ?? false,
    };
  });
  const { major, mayCreate } = server;
  if (!server.exists) return { state: "absent", objects: [], major, mayCreate };
  const objects = await withClient(connection, userObjects);
  return { state: objects.length === 0 ? "empty" : "occupied", objects, major, mayCreate };
}
