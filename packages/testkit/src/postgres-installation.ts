import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface PostgresInstallation {
  readonly binDir: string;
  /** As `postgres --version` prints it. */
  readonly version: string;
  readonly major: number;
  /** Who runs the programs where this process is root, whom they refuse; null where it is not. */
  readonly account: { readonly uid: number; readonly gid: number } | null;
}

let found: Promise<PostgresInstallation> | undefined;

/** The newest installation with a server, and whom it runs as here. Looked for once in a process. */
export function postgresInstallation(): Promise<PostgresInstallation> {
  return (found ??= find());
}

async function find(): Promise<PostgresInstallation> {
  const binDir = findBinDir();
  const [{ stdout }, account] = await Promise.all([
    run(path.join(binDir, "postgres"), ["--version"]),
    unprivilegedAccount(),
  ]);
  return { binDir, version: stdout.trim(), major: Number(/(\d+)/.exec(stdout)?.[1]), account };
}

/** The folders of Debian, Homebrew and the yum repository. */
function findBinDir(): string {
  const roots: [root: string, folder: RegExp][] = [
    ["/usr/lib/postgresql", /^\d+$/],
    ["/opt/homebrew/opt", /^postgresql(@\d+)?$/],
    ["/usr/local/opt", /^postgresql(@\d+)?$/],
    ["/usr", /^pgsql-\d+$/],
  ];
  const folders = roots.flatMap(([root, folder]) => {
    const names = existsSync(root) ? readdirSync(root).filter((name) => folder.test(name)) : [];
    const newestFirst = names.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
    return newestFirst.map((name) => path.join(root, name, "bin"));
  });
  const binDir = folders.find((directory) => existsSync(path.join(directory, "initdb")));
  if (binDir === undefined)
    throw new Error("No PostgreSQL server (initdb) was found: is the package postgresql installed?");
  return binDir;
}

async function unprivilegedAccount(): Promise<PostgresInstallation["account"]> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => run("id", [flag, name])));
      return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither an account postgres nor nobody.");
}

/** Nothing of PG*: an inherited PGPORT or PGDATA must not lead elsewhere. */
export function postgresEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PG")));
}
