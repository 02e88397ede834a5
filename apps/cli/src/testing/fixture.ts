import { open, readdir } from "node:fs/promises";
import path from "node:path";
import { expect } from "@jest/globals";
import {
  createSampleDatabase,
  makeTempDir,
  type PostgresServer,
  type Sshd,
  startPostgres,
  startSshd,
} from "@trivault/testkit";
import { type Ended, runCli, type Started, startCli } from "./spawn-cli.ts";

export const DATABASE = "shop";

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** A machine with the CLI: a database, keys, a local tier, and sshd as the remote server where it is wanted. */
export interface Fixture extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly sourceUrl: string;
  readonly remote: Sshd;
  readonly folder: string;
  readonly backupDir: string;
  readonly spoolDir: string;
  readonly identityFile: string;
  /** What an operator would have in `.env` for local and remote. */
  readonly env: Readonly<Record<string, string>>;
  cli(line: string, options?: CliOptions): Promise<Ended>;
  /** In a process of its own, which signals end. */
  start(line: string, options?: CliOptions): Started;
}

export async function makeFixture(megabytes: number): Promise<Fixture> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = stack.use(await makeTempDir("tv-cli")).path;
    const [postgres, remote] = await Promise.all([startPostgres(), startSshd()]);
    stack.use(postgres);
    stack.use(remote);
    const sourceUrl = await postgres.createDatabase(DATABASE);
    await createSampleDatabase(sourceUrl, { megabytes });
    const at = (name: string) => path.join(folder, name);
    const base = { BACKUP_DIR: at("backups"), BACKUP_SPOOL_DIR: at("spool") };
    const words = (line: string) => line.split(" ").filter((word) => word !== "");
    const options = (given: CliOptions = {}) => ({ ...given, cwd: folder, env: { ...env, ...given.env } });
    const made = await runCli(words("keys generate --json"), { cwd: folder, env: base });
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const { recipient, identityFile } = JSON.parse(made.stdout);
    const env = {
      ...base,
      DATABASE_URL: sourceUrl,
      BACKUP_ENCRYPTION_RECIPIENTS: recipient,
      BACKUP_SEGMENT_SIZE: "256KiB",
      BACKUP_REMOTE_SERVER: `${remote.host}:${remote.port}`,
      BACKUP_SSH_USER: remote.user,
      BACKUP_SSH_KEY: remote.keyFile,
      BACKUP_SSH_HOST_KEY: remote.fingerprint,
      BACKUP_REMOTE_DIR: remote.directory,
    };
    return {
      postgres,
      sourceUrl,
      remote,
      folder,
      backupDir: base.BACKUP_DIR,
      spoolDir: base.BACKUP_SPOOL_DIR,
      identityFile,
      env,
      start: (line, given) => startCli(words(line), options(given)),
      cli: (line, given) => runCli(words(line), options(given)),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** All files under a folder, for "nothing was left" and "nothing was changed". */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
}

/** An operator's mistake or misfortune: exit code 1, no stack, and the reason as the one last line of stderr. */
export function expectRefusal(ended: Ended, reason: RegExp): void {
  expect(ended.stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(ended.stderr.trimEnd().split("\n").at(-1)).toMatch(reason);
  expect(ended.code).toBe(1);
}

/** What stands in the record of such actions. */
export async function recordedBy(cli: (line: string) => Promise<Ended>, actions: string): Promise<unknown[]> {
  const { code, stdout } = await cli(`audit logs --json --action ${actions}`);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

/** Turns one bit of a file over; again turns it back. */
export async function flip(file: string, position: number): Promise<void> {
  await using handle = await open(file, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, position);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, position);
}
