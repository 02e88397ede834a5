import { execFile } from "node:child_process";
import { access, constants, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { TrivaultError } from "@trivault/core";
import { childEnv } from "./child.ts";

export interface Tool {
  readonly path: string;
  /** `17.2`. */
  readonly version: string;
}

/** PostgreSQL's client programs, all of one installation, and zstd. */
export interface Tools {
  /** The major version of PostgreSQL's programs. */
  readonly major: number;
  readonly pgDump: Tool;
  readonly pgRestore: Tool;
  readonly psql: Tool;
  readonly zstd: Tool;
}

/** What a program says of its version is believed for so long, unless its file changes: it may be a wrapper of others. */
const REMEMBER_MS = 60_000;

interface Installation {
  readonly directory: string;
  readonly version: string;
  readonly major: number;
}

/** Folders that hold one `<version>` each: Debian and Ubuntu, Homebrew on Apple and Intel, the PostgreSQL yum repository. */
const ROOTS: readonly (readonly [root: string, pattern: RegExp, bin: string])[] = [
  ["/usr/lib/postgresql", /^\d+$/, "bin"],
  ["/opt/homebrew/opt", /^(?:postgresql(?:@\d+)?|libpq)$/, "bin"],
  ["/usr/local/opt", /^(?:postgresql(?:@\d+)?|libpq)$/, "bin"],
  ["/usr", /^pgsql-\d+$/, "bin"],
];

/**
 * The programs to use against a server: those in `binDir` where it is given; otherwise the installation of the server's
 * own major version, or else the oldest newer one, for pg_dump reads servers older than itself but none that is newer.
 */
export async function requireTools(serverMajor: number, binDir: string | null): Promise<Tools> {
  const installations = await findInstallations(binDir);
  if (installations.length === 0) throw missing(serverMajor, binDir);
  const suitable = installations.filter(({ major }) => major >= serverMajor).sort((a, b) => a.major - b.major)[0];
  if (!suitable) throw tooOld(serverMajor, newestOf(installations));
  return toolsOf(suitable);
}

/** The newest programs there are: `pg_restore` reads archives of every version up to its own. */
export async function newestTools(binDir: string | null): Promise<Tools> {
  const installations = await findInstallations(binDir);
  if (installations.length === 0) throw missing(13, binDir);
  return toolsOf(newestOf(installations));
}

async function toolsOf({ directory, version, major }: Installation): Promise<Tools> {
  const tool = (name: string): Tool => ({ path: path.join(directory, name), version });
  return {
    major,
    pgDump: tool("pg_dump"),
    pgRestore: tool("pg_restore"),
    psql: tool("psql"),
    zstd: await requireZstd(),
  };
}

async function findInstallations(binDir: string | null): Promise<Installation[]> {
  const directories = binDir === null ? [...(await versionedDirectories()), ...pathDirectories()] : [binDir];
  const found = await Promise.all(directories.map(inspect));
  return found.filter((installation) => installation !== null);
}

async function versionedDirectories(): Promise<string[]> {
  const lists = ROOTS.map(async ([root, pattern, bin]) => {
    // An absent folder is the usual case: no machine has all of them.
    const names = await readdir(root).catch(() => []);
    return names.filter((name) => pattern.test(name)).map((name) => path.join(root, name, bin));
  });
  return (await Promise.all(lists)).flat();
}

function pathDirectories(): string[] {
  return (process.env.PATH ?? "").split(path.delimiter).filter((directory) => path.isAbsolute(directory));
}

async function inspect(directory: string): Promise<Installation | null> {
  const text = await versionText(path.join(directory, "pg_dump"));
  // `pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)`, `… 18beta1`, `… 9.6.24`.
  const match = /\(PostgreSQL\) ((\d+)(?:\.\d+)*(?:(?:devel|alpha|beta|rc)\d*)?)/.exec(text ?? "");
  return match?.[1] && match[2] ? { directory, version: match[1], major: Number(match[2]) } : null;
}

/**
 * Whether a program's libpq has require_auth (16 and later). The library is not of the program's own version everywhere, so
 * it is asked, by a connection that cannot be: an unknown option is refused before anything else.
 */
export async function knowsRequireAuth(pgDump: string): Promise<boolean> {
  const args = ["--no-password", "--dbname=host=/nowhere require_auth=none"];
  const { stderr } = await promisify(execFile)(pgDump, args, { env: childEnv(), timeout: 10_000 }).catch(
    (error: { stderr?: string }) => ({ stderr: error.stderr ?? "" }),
  );
  return !/invalid connection option/.test(stderr);
}

async function requireZstd(): Promise<Tool> {
  for (const directory of pathDirectories()) {
    const file = path.join(directory, "zstd");
    const version = /v(\d+\.\d+\.\d+)/.exec((await versionText(file)) ?? "")?.[1];
    if (version !== undefined) return { path: file, version };
  }
  const install = "Install the package zstd (apt-get install zstd, dnf install zstd, brew install zstd).";
  throw new TrivaultError("TOOL_MISSING", `The program zstd is not on the PATH. ${install}`, { permanent: true });
}

interface Asked {
  readonly identity: string;
  readonly at: number;
  readonly text: string;
}

/** Each dump asks several programs; a hundred databases would start hundreds of processes for the same answers. */
const asked = new Map<string, Asked>();

async function versionText(file: string): Promise<string | null> {
  try {
    await access(file, constants.X_OK);
    const { mtimeMs, size, ino } = await stat(file);
    const identity = [mtimeMs, size, ino].join();
    const before = asked.get(file);
    if (before?.identity === identity && performance.now() - before.at < REMEMBER_MS) return before.text;
    const { stdout } = await promisify(execFile)(file, ["--version"], { env: childEnv(), timeout: 10_000 });
    asked.set(file, { identity, at: performance.now(), text: stdout });
    return stdout;
  } catch {
    // Absent, not executable, of another machine type: whichever, it is no program that we can use.
    return null;
  }
}

function newestOf(installations: readonly Installation[]): Installation {
  return installations.reduce((a, b) => (b.major > a.major ? b : a));
}

function howToInstall(major: number): string {
  return (
    `Install the client programs of PostgreSQL ${major} or later: apt-get install postgresql-client-${major} (from ` +
    `apt.postgresql.org where the distribution is older), dnf install postgresql${major}, or brew install postgresql@${major}; ` +
    "or name their folder in BACKUP_PG_BIN_DIR."
  );
}

function missing(serverMajor: number, binDir: string | null): TrivaultError {
  const where = binDir === null ? "in the usual folders or on the PATH" : `in ${binDir}`;
  const message = `No working pg_dump was found ${where}. ${howToInstall(serverMajor)}`;
  return new TrivaultError("TOOL_MISSING", message, { permanent: true });
}

function tooOld(serverMajor: number, newest: Installation): TrivaultError {
  const message =
    `The server runs PostgreSQL ${serverMajor}, but the newest pg_dump found is ${newest.version} (${newest.directory}), ` +
    `which cannot read a server newer than itself. ${howToInstall(serverMajor)}`;
  return new TrivaultError("TOOL_TOO_OLD", message, { permanent: true });
}
