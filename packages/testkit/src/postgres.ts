import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { childReady } from "./child-ready.ts";
import { freePort } from "./ports.ts";
import { postgresEnv, postgresInstallation } from "./postgres-installation.ts";
import { makeDataFolder } from "./postgres-template.ts";
import { makeTempDir } from "./temp.ts";
import { whenGone } from "./when-gone.ts";

export interface PostgresServer extends AsyncDisposable {
  /** The URL of the superuser's database `postgres`, with the password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly user: string;
  readonly password: string;
  readonly major: number;
  readonly binDir: string;
  /** Resolves to the URL of the new database. */
  createDatabase(name: string): Promise<string>;
  urlOf(database: string, login?: { user: string; password: string }): string;
  /** One or more statements in `database` (by default `postgres`), as superuser. */
  query(sql: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Ends the server and removes its folder; again is fine. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  readonly port?: number;
  /** For `postgres -c name=value`. They come last and win. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A folder of locales beside the system's, as `localedef` makes them. */
  readonly localesIn?: string;
}

/** Fast, not durable: the data lives as long as a test. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  logging_collector: "off",
};

/** A real PostgreSQL on 127.0.0.1 with password (SCRAM) logins, in a folder of its own. Works as root and otherwise. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(options);
    } catch (error) {
      // Between freePort and bind another process may take the port.
      if (attempt === 3 || options.port !== undefined || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function launch(options: PostgresOptions): Promise<PostgresServer> {
  const port = options.port ?? (await freePort());
  const installation = await postgresInstallation();
  const { binDir, major, account } = installation;
  const dir = await makeTempDir("tv-pg");
  const data = path.join(dir.path, "data");
  let password: string;
  let server: ChildProcess | undefined;
  let isGone = () => {};
  const stop = async () => {
    if (server) await end(server);
    await dir.remove();
    isGone();
  };
  const query = async (sql: string, database = "postgres") => {
    const client = new Client({ host: "127.0.0.1", port, user: "postgres", password, database });
    await client.connect();
    try {
      const result: { rows: Record<string, unknown>[] } | { rows: Record<string, unknown>[] }[] =
        await client.query(sql);
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    } finally {
      await client.end();
    }
  };
  try {
    password = await makeDataFolder(data, installation);
    if (account) await chown(dir.path, account.uid, account.gid);
    const settings = { ...SETTINGS, unix_socket_directories: dir.path, ...options.settings };
    const args = ["-D", data, "-p", String(port)];
    for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);
    // cwd: a directory that the account may enter, or the program complains.
    const spawnOptions = {
      cwd: dir.path,
      env: { ...postgresEnv(), ...(options.localesIn ? { LOCPATH: options.localesIn } : {}) },
      ...account,
    };
    server = spawn(path.join(binDir, "postgres"), args, { ...spawnOptions, stdio: ["ignore", "ignore", "pipe"] });
    // QUIT: at once, and its children with it.
    isGone = whenGone(`kill -QUIT ${server.pid}`);
    await childReady(server, "postgres", "database system is ready to accept connections");
    const own = randomBytes(12).toString("hex");
    await query(`ALTER ROLE postgres PASSWORD '${own}'`);
    password = own;
  } catch (error) {
    await stop();
    throw error;
  }

  const urlOf = (database: string, login = { user: "postgres", password }) => {
    const [user, secret] = [login.user, login.password].map(encodeURIComponent);
    return `postgresql://${user}:${secret}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  };
  return {
    url: urlOf("postgres"),
    host: "127.0.0.1",
    port,
    pid: server.pid ?? 0,
    user: "postgres",
    password,
    major,
    binDir,
    urlOf,
    query,
    async createDatabase(name) {
      // Copied as files, not through the log: half the computing.
      await query(
        `CREATE DATABASE "${name.replaceAll('"', '""')}" TEMPLATE template0${major < 15 ? "" : " STRATEGY file_copy"}`,
      );
      return urlOf(name);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** SIGQUIT ends it at once, without writing what is about to be removed; SIGKILL makes its children end as well. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGQUIT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await closed;
  clearTimeout(timer);
}
