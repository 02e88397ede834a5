import { background } from "@trivault/core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, writeFile } from "node:fs/promises";
import path from "node:path";
import { childReady } from "./child-ready.ts";
import { freePort } from "./ports.ts";
import { postgresInstallation } from "./postgres-installation.ts";
import type { PostgresServer } from "./postgres.ts";
import { makeTempDir } from "./temp.ts";
import { whenGone } from "./when-gone.ts";

export interface PgbouncerServer extends AsyncDisposable {
  /** The URL of a database of the server behind it, with the superuser's password. */
  urlOf(database: string): string;
  stop(): Promise<void>;
}

export interface PgbouncerOptions {
  readonly server: PostgresServer;
  readonly poolMode: "session" | "transaction" | "statement";
  /** Connections to the server for each database. */
  readonly poolSize?: number;
}

/** A real pgbouncer before a server, on a free port. As it refuses to run as root, under the account of the server then. */
export async function startPgbouncer({ server, poolMode, poolSize = 5 }: PgbouncerOptions): Promise<PgbouncerServer> {
  const port = await freePort();
  const { account } = await postgresInstallation();
  const dir = await makeTempDir("tv-pgbouncer");
  const users = path.join(dir.path, "users.txt");
  const settings = path.join(dir.path, "pgbouncer.ini");
  await writeFile(users, `"${server.user}" "${server.password}"\n`, { mode: 0o600 });
  await writeFile(
    settings,
    `[databases]
* = host=${server.host} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${poolMode}
default_pool_size = ${poolSize}
`,
    { mode: 0o600 },
  );
  if (account) for (const file of [dir.path, users, settings]) await chown(file, account.uid, account.gid);
  const child = spawn("pgbouncer", [settings], { cwd: dir.path, ...account, stdio: ["ignore", "ignore", "pipe"] });
  const isGone = whenGone(`kill -9 ${child.pid}`);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = background(once(child, "exit"));
      child.kill("SIGKILL");
      await exited;
    }
    await dir.remove();
    isGone();
  };
  try {
    await childReady(child, "pgbouncer", "process up");
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urlOf: (database) => {
      const url = new URL(server.urlOf(database));
      url.port = String(port);
      return url.href;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
