import { mkdtemp, open, rm } from "node:fs/promises";
import path from "node:path";
import type { Logger, TrivaultError } from "@trivault/core";
import { startChain } from "./chain.ts";
import { type Command, type Outcome, childEnv } from "./child.ts";
import type { Connection } from "./connection-url.ts";
import { feed } from "./feed.ts";
import { type Libpq, withLibpq } from "./libpq.ts";
import { restoreFailure } from "./restore-failure.ts";
import { requireMoneyLocale, underMoneyLocale } from "./money-locale.ts";
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
  /** Under which the archive's texts of type money are to be read, whatever the target has; null where there are none. */
  readonly moneyLocale?: string | null;
  readonly signal?: AbortSignal | undefined;
  readonly workDir: string;
  readonly log: Logger;
}

/** Restores an archive into a database that exists. Throws RESTORE_FAILED with pg_restore's last words. */
export async function restoreArchive(options: RestoreOptions): Promise<void> {
  const { connection, moneyLocale = null, tools } = options;
  if (moneyLocale !== null) await requireMoneyLocale(connection, moneyLocale, options.signal);
  await withLibpq(underMoneyLocale(connection, moneyLocale), tools, async (libpq) => {
    if (options.jobs === 1) await restoreStream(options, libpq);
    else await restoreFile(options, libpq);
  });
}

async function restoreStream(options: RestoreOptions, libpq: Libpq): Promise<void> {
  const commands = [decompress(options.tools, null), pgRestore(options, libpq, ["--single-transaction"])];
  // What ends a tar archive (a script, and blocks of zeros) pg_restore does not read.
  const manner = { stdin: "pipe", stdout: "ignore", mayStopReading: true } as const;
  const chain = await startChain(commands, { ...manner, ...common(options) });
  await feed(chain, options.archive);
}

async function restoreFile(options: RestoreOptions, libpq: Libpq): Promise<void> {
  const folder = await mkdtemp(path.join(options.workDir, "restore-"));
  try {
    const file = path.join(folder, "archive");
    // Made here, not by zstd, so that it is private from its first byte.
    await (await open(file, "wx", 0o600)).close();
    const settings = { stdout: "ignore", ...common(options) } as const;
    await feed(await startChain([decompress(options.tools, file)], { stdin: "pipe", ...settings }), options.archive);
    // pg_restore can restore only one thing at a time from a tar archive.
    const manner = (await isCustom(file)) ? `--jobs=${options.jobs}` : "--single-transaction";
    const restore = pgRestore(options, libpq, [manner, file]);
    await (
      await startChain([restore], { stdin: "ignore", ...settings })
    ).done;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isCustom(file: string): Promise<boolean> {
  await using handle = await open(file, "r");
  const { buffer } = await handle.read(Buffer.alloc(5), 0, 5, 0);
  return buffer.toString("latin1") === "PGDMP";
}

function decompress(tools: Tools, file: string | null): Command {
  // --sparse would leave holes, which is of no use here; -f because the file exists already.
  const output = file === null ? ["-c"] : ["--no-sparse", "-f", "-o", file];
  return { name: "zstd", file: tools.zstd.path, args: ["-d", "-q", ...output], env: childEnv() };
}

function pgRestore(options: RestoreOptions, libpq: Libpq, extra: readonly string[]): Command {
  const { tools, clean, noOwner } = options;
  const args = ["--exit-on-error", "--no-password", `--dbname=${libpq.dbname}`];
  if (clean) args.push("--clean", "--if-exists");
  if (noOwner) args.push("--no-owner", "--no-privileges");
  return {
    name: "pg_restore",
    file: tools.pgRestore.path,
    args: [...args, ...extra],
    env: libpq.env,
    endsOn: "SIGTERM",
  };
}

function common({ connection, tools, signal }: RestoreOptions): {
  signal: AbortSignal | undefined;
  failure: (outcome: Outcome) => TrivaultError;
} {
  return { signal, failure: (outcome) => restoreFailure(outcome, connection, tools, "archive") };
}
