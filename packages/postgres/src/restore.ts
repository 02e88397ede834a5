import { mkdtemp, open, rm } from "node:fs/promises";
import path from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Logger, TrivaultError, codeOf } from "@trivault/core";
import { type Chain, startChain } from "./chain.ts";
import { type Command, type Outcome, childEnv, statusOf } from "./child.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { conninfo, libpqEnv, withPassFile } from "./libpq.ts";
import type { Tools } from "./tools.ts";

export interface RestoreOptions {
  readonly connection: Connection;
  readonly tools: Tools;
  /** The zstd stream of a pg_dump archive. What it throws ends the restore, and is thrown on. */
  readonly archive: AsyncIterable<Uint8Array>;
  /** 1: streamed, in one transaction. More: the archive is decompressed into `workDir` first, for it must be seekable. */
  readonly jobs: number;
  /** Drops what the archive holds before making it anew. */
  readonly clean: boolean;
  /** Everything belongs to the connecting user; no grants are made. */
  readonly noOwner: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly workDir: string;
  readonly log: Logger;
}

/** Restores an archive into a database that exists. Throws RESTORE_FAILED with pg_restore's last words. */
export async function restoreArchive(options: RestoreOptions): Promise<void> {
  await withPassFile(options.connection, async (passFile) => {
    if (options.jobs === 1) await restoreStream(options, passFile);
    else await restoreFile(options, passFile);
  });
}

async function restoreStream(options: RestoreOptions, passFile: string): Promise<void> {
  const commands = [decompress(options.tools, null), pgRestore(options, passFile, ["--single-transaction"])];
  const chain = await startChain(commands, { stdin: "pipe", stdout: "ignore", ...common(options) });
  await feed(chain, options.archive);
}

async function restoreFile(options: RestoreOptions, passFile: string): Promise<void> {
  const folder = await mkdtemp(path.join(options.workDir, "restore-"));
  try {
    const file = path.join(folder, "archive");
    // Made here, not by zstd, so that it is private from its first byte.
    await (await open(file, "wx", 0o600)).close();
    const settings = { stdout: "ignore", ...common(options) } as const;
    await feed(await startChain([decompress(options.tools, file)], { stdin: "pipe", ...settings }), options.archive);
    const restore = pgRestore(options, passFile, [`--jobs=${options.jobs}`, file]);
    await (
      await startChain([restore], { stdin: "ignore", ...settings })
    ).done;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Hands over the archive at the pace of the programs. Whichever ends first with an error ends the other. */
async function feed(chain: Chain, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const stdin = chain.children[0]?.process.stdin as Writable;
  const feeding = pipeline(Readable.from(archive, { objectMode: true, highWaterMark: 1 }), stdin);
  try {
    await feeding;
  } catch (error) {
    // The programs closed their input: they say why. Anything else is the archive's own failure.
    if (!isClosedInput(error)) {
      await chain.kill();
      throw error;
    }
  }
  await chain.done;
}

function isClosedInput(error: unknown): boolean {
  return ["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"].includes(codeOf(error) ?? "");
}

function decompress(tools: Tools, file: string | null): Command {
  // --sparse would leave holes, which is of no use here; -f because the file exists already.
  const output = file === null ? ["-c"] : ["--no-sparse", "-f", "-o", file];
  return { name: "zstd", file: tools.zstd.path, args: ["-d", "-q", ...output], env: childEnv() };
}

function pgRestore(options: RestoreOptions, passFile: string, extra: readonly string[]): Command {
  const { connection, tools, clean, noOwner } = options;
  const args = ["--exit-on-error", "--no-password", `--dbname=${conninfo(connection.database)}`];
  if (clean) args.push("--clean", "--if-exists");
  if (noOwner) args.push("--no-owner", "--no-privileges");
  return {
    name: "pg_restore",
    file: tools.pgRestore.path,
    args: [...args, ...extra],
    env: libpqEnv(connection, passFile),
  };
}

function common({ connection, tools, signal }: RestoreOptions): {
  signal: AbortSignal | undefined;
  failure: (outcome: Outcome) => TrivaultError;
} {
  const failure = (outcome: Outcome): TrivaultError => {
    const said = outcome.stderr === "" ? "It said nothing." : `It said: ${outcome.stderr}`;
    const next = ADVICE.find(([pattern]) => pattern.test(outcome.stderr))?.[1](tools) ?? "";
    const text = `The restore into ${describeConnection(connection)} failed: ${outcome.name} ${statusOf(outcome)}. ${said}`;
    return new TrivaultError("RESTORE_FAILED", next === "" ? text : `${text} — ${next}`);
  };
  return { signal, failure };
}

/** By the messages of pg_restore and the server. */
const ADVICE: readonly (readonly [pattern: RegExp, next: (tools: Tools) => string])[] = [
  [
    /unsupported version \([\d.]+\) in file header/i,
    ({ pgRestore: { version } }) =>
      `The archive was made by a pg_dump newer than this pg_restore (${version}): install PostgreSQL client programs at least as new as those that made the backup.`,
  ],
  [
    /unrecognized configuration parameter/i,
    ({ pgRestore: { version } }) =>
      `This pg_restore (${version}) is newer than the server: use the client programs of the server's own major version (BACKUP_PG_BIN_DIR).`,
  ],
  [
    /out of shared memory|max_locks_per_transaction/i,
    () => "So many objects do not fit one transaction here: use --jobs 2, or raise max_locks_per_transaction.",
  ],
  [/role ".*" does not exist/i, () => "Make the role on the target first, or restore without owners (--no-owner)."],
  [
    /extension ".*" is not available|could not open extension control file/i,
    () => "Install the extension's package on the target's server first.",
  ],
  [/permission denied|must be (?:owner|superuser)/i, () => "Restore as a user who may do this, such as a superuser."],
  [/no space left on device/i, () => "Make room on the target's server or in the work folder."],
];
