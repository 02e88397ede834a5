import { processExists } from "@trivault/core";
import { lstat, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Env, childEnv } from "./child.ts";
import type { Connection } from "./connection-url.ts";
import { allowedMethods } from "./protection.ts";
import { knowsRequireAuth, type Tools } from "./tools.ts";

/** Seconds after which a silent peer is probed, between probes, and probes until it counts as dead: about a minute. */
const KEEPALIVES = "keepalives_idle=30 keepalives_interval=10 keepalives_count=4";
const FOLDER = "trivault-pgpass-";

/** How a PostgreSQL program connects. */
export interface Libpq {
  /** For `--dbname=`. */
  readonly dbname: string;
  /** Built from scratch, so that no inherited PG* variable changes where it connects and no secret of ours reaches it. */
  readonly env: Env;
}

/** Runs `use` with a password file (0600, in a private folder) that is gone afterwards. Empty where there is no password. */
export async function withLibpq<T>(
  connection: Connection,
  tools: Tools,
  use: (libpq: Libpq) => Promise<T>,
): Promise<T> {
  await sweepPassFiles();
  const dbname = `${conninfo(connection.database)}${await demands(connection, tools)}`;
  const folder = await mkdtemp(path.join(tmpdir(), `${FOLDER}${process.pid}-`));
  try {
    const file = path.join(folder, "pgpass");
    // Wildcards will do: the file serves one connection, and libpq's rules for host names and sockets are intricate.
    const password = connection.password?.replaceAll(/[\\:]/g, "\\$&");
    await writeFile(file, password === undefined ? "" : `*:*:*:*:${password}\n`, { mode: 0o600, flag: "wx" });
    return await use({ dbname, env: environment(connection, file) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The database is not here: see `conninfo`. */
function environment(connection: Connection, passFile: string): Env {
  return {
    ...childEnv(),
    PGHOST: connection.host,
    PGPORT: String(connection.port),
    PGUSER: connection.user,
    PGPASSFILE: passFile,
    PGSSLMODE: connection.sslMode,
    PGCONNECT_TIMEOUT: String(connection.connectTimeoutSeconds),
    PGAPPNAME: connection.applicationName,
    // node-postgres has no GSSAPI; both take the same way in.
    PGGSSENCMODE: "disable",
    ...(connection.sslRootCert === null ? {} : { PGSSLROOTCERT: connection.sslRootCert }),
    ...(connection.sslCert === null ? {} : { PGSSLCERT: connection.sslCert }),
    ...(connection.sslKey === null ? {} : { PGSSLKEY: connection.sslKey }),
    ...(connection.options === null ? {} : { PGOPTIONS: connection.options }),
  };
}

/**
 * libpq expands a plain database name that holds `=` or starts with `postgres://` as a connection string, which would
 * override host and user (the trap behind CVE-2016-5424); inside a quoted conninfo it is only ever a name.
 */
export function conninfo(database: string): string {
  return `dbname='${database.replaceAll(/['\\]/g, "\\$&")}' ${KEEPALIVES}`;
}

/**
 * What keeps libpq from giving the password to an impostor (protection.ts). A libpq before 16 knows no require_auth, but
 * channel_binding, which comes to the same where the server speaks TLS; where it does not, such a libpq cannot be held to SCRAM.
 */
async function demands(connection: Connection, tools: Tools): Promise<string> {
  const allowed = allowedMethods(connection);
  if (allowed === null) return "";
  if (await knowsRequireAuth(tools.pgDump.path)) return ` require_auth=${allowed.join(",")}`;
  return allowed.join() === "scram-sha-256" ? " channel_binding=require" : "";
}

/** Removes the files of processes that were killed: those of this user whose process id is no more. */
async function sweepPassFiles(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${FOLDER}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || processExists(Number(pid))) continue;
    const folder = path.join(tmpdir(), name);
    const owner = await lstat(folder).then(
      (stats) => stats.uid,
      () => null,
    );
    // Best effort: another process may sweep at the same time.
    if (owner === process.getuid?.()) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}
