import path from "node:path";
import { background, type Logger, type Selection, TrivaultError } from "@trivault/core";
import { type Chain, type ChainOptions, startChain } from "./chain.ts";
import { type Command, type Outcome, childEnv, statusOf } from "./child.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { type Libpq, withLibpq } from "./libpq.ts";
import { HOW_TO_ALLOW, NOT_ALLOWED } from "./protection.ts";
import { selectionArguments } from "./selection.ts";
import type { Tools } from "./tools.ts";

export interface DumpOptions {
  readonly connection: Connection;
  readonly tools: Tools;
  readonly snapshotId: string;
  /** By default everything. */
  readonly selection?: Selection | undefined;
  /** The spool: an existing private folder. It receives `part-000000`, `part-000001`, …, each of `segmentSize` bytes. */
  readonly directory: string;
  readonly segmentSize: number;
  readonly signal?: AbortSignal | undefined;
  readonly log: Logger;
}

/**
 * A dump that runs. A part is complete when the next one exists, or when `done` has resolved; after `done` has rejected
 * none of them is part of a backup.
 */
export interface DumpProcess {
  readonly pids: readonly number[];
  /** No byte reaches the spool after this, until `resume`. */
  pause(): void;
  resume(): void;
  /** Resolves when every program has ended with status 0; rejects (DUMP_FAILED, CANCELLED) when all are gone. */
  readonly done: Promise<{ readonly seconds: number }>;
  /** Resolves when all are gone, paused or not. */
  kill(): Promise<void>;
}

/** How long pg_dump waits for a table that another session has locked, before it fails (and is tried again later). */
const LOCK_TIMEOUT_MS = 120_000;

/** Starts `pg_dump | zstd | split` into the spool. The bytes go from program to program and never through Node. */
export async function startDump(options: DumpOptions): Promise<DumpProcess> {
  const started = Promise.withResolvers<Chain>();
  // The password file lives as long as the dump.
  const done = background(
    withLibpq(options.connection, options.tools, async (libpq) => {
      const chain = await startChain(commands(options, libpq), chainOptions(options));
      started.resolve(chain);
      return chain.done;
    }),
  );
  done.catch((error: unknown) => started.reject(error));
  const chain = await started.promise;
  const pids = chain.children.map((child) => child.process.pid).filter((pid) => pid !== undefined);
  options.log.debug({ pids }, "dump started");
  // Stopping the last program is exact: nobody else writes to the spool, and those before it fill their pipes and wait.
  const writer = chain.children.at(-1)?.process;
  return {
    pids,
    pause: () => void writer?.kill("SIGSTOP"),
    resume: () => void writer?.kill("SIGCONT"),
    done,
    async kill() {
      await chain.kill();
      await Promise.allSettled([done]);
    },
  };
}

function commands(options: DumpOptions, libpq: Libpq): Command[] {
  const { tools, snapshotId, selection, directory, segmentSize } = options;
  const env = childEnv();
  return [
    {
      name: "pg_dump",
      file: tools.pgDump.path,
      args: [
        "--format=custom",
        "--compress=0",
        `--snapshot=${snapshotId}`,
        `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`,
        "--no-password",
        ...(selection ? selectionArguments(selection, tools.major) : []),
        `--dbname=${libpq.dbname}`,
      ],
      env: libpq.env,
      endsOn: "SIGTERM",
    },
    { name: "zstd", file: tools.zstd.path, args: ["-3", "-q"], env },
    {
      // Six digits and short options: what GNU and BSD (macOS) split have in common.
      name: "split",
      file: "split",
      args: ["-d", "-a", "6", "-b", String(segmentSize), "-", path.join(directory, "part-")],
      env,
    },
  ];
}

function chainOptions({ connection, signal }: DumpOptions): ChainOptions {
  const failure = (outcome: Outcome): TrivaultError => {
    const said = outcome.stderr === "" ? "It said nothing." : `It said: ${outcome.stderr}`;
    const advice = adviceFor(outcome.stderr);
    const text = `The dump of ${describeConnection(connection)} failed: ${outcome.name} ${statusOf(outcome)}. ${said}`;
    return new TrivaultError("DUMP_FAILED", advice ? `${text} — ${advice.text(connection)}` : text, {
      permanent: advice?.permanent ?? false,
    });
  };
  return { stdin: "ignore", stdout: "ignore", signal, failure };
}

interface Advice {
  readonly pattern: RegExp;
  readonly text: (connection: Connection) => string;
  readonly permanent: boolean;
}

/** By pg_dump's messages, for it reports no SQLSTATE. What is not listed here is tried again. */
const ADVICE: readonly Advice[] = [
  {
    pattern: /permission denied for large object/i,
    text: () =>
      "No role but a superuser (or each large object's owner) may read all of them: use a superuser for the backup.",
    permanent: true,
  },
  {
    pattern: /no matching (?:tables|schemas) were found/i,
    text: () => "A pattern of include (schemas or tables) in the configuration file matches nothing in this database.",
    permanent: true,
  },
  {
    pattern: /permission denied/i,
    text: () => "Grant the user what is missing, for instance GRANT pg_read_all_data TO it (PostgreSQL 14 and later).",
    permanent: true,
  },
  {
    pattern: /row-level security/i,
    text: () =>
      "A policy hides rows from this user, so the backup would lack them: use a user with BYPASSRLS, or the table's owner.",
    permanent: true,
  },
  {
    pattern: /server version mismatch/i,
    text: () => "Install a pg_dump of the server's major version or later.",
    permanent: true,
  },
  {
    pattern: /password authentication failed|no password supplied|no pg_hba\.conf entry/i,
    text: ({ setting }) => `Check user and password in ${setting}, and the server's pg_hba.conf.`,
    permanent: true,
  },
  { pattern: NOT_ALLOWED, text: () => HOW_TO_ALLOW, permanent: true },
  {
    pattern: /lock timeout/i,
    text: () =>
      "Another session holds an exclusive lock on a table; pg_locks and pg_stat_activity show which. It is tried again.",
    permanent: false,
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    text: () => "The spool is full: see BACKUP_SPOOL_DIR and BACKUP_SEGMENT_SIZE.",
    permanent: false,
  },
];

function adviceFor(stderr: string): Advice | undefined {
  return ADVICE.find(({ pattern }) => pattern.test(stderr));
}
