import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import { TrivaultError } from "@trivault/core";
import { startChain } from "./chain.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { feed } from "./feed.ts";
import { withLibpq } from "./libpq.ts";
import { restoreFailure } from "./restore-failure.ts";
import { forTarget } from "./sql-script.ts";
import type { Tools } from "./tools.ts";

export interface RestoreSqlOptions {
  readonly connection: Connection;
  readonly tools: Tools;
  /** The zstd stream of a plain SQL dump. What it throws ends the restore, and is thrown on. */
  readonly script: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** Results go nowhere, so that stdout holds nothing but what the end of our script says. */
const ARGS = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-"];

/**
 * Restores a plain SQL dump into an empty database that exists, in one transaction. psql is set to obey no command of the
 * script (`\restrict`, the answer to CVE-2025-8714), beside what `forTarget` takes out and refuses. Until the script says
 * otherwise, no name in it leads to something that somebody put into the database.
 */
export async function restoreSql({ connection, tools, script, signal }: RestoreSqlOptions): Promise<void> {
  const key = randomBytes(24).toString("hex");
  const said: Buffer[] = [];
  await withLibpq(connection, tools, async (libpq) => {
    const chain = await startChain(
      [
        {
          name: "psql",
          file: tools.psql.path,
          args: [...ARGS, `--dbname=${libpq.dbname}`],
          env: libpq.env,
          endsOn: "SIGINT",
        },
      ],
      {
        stdin: "pipe",
        stdout: "pipe",
        signal,
        failure: (outcome) => restoreFailure(outcome, connection, tools, "sql"),
      },
    );
    chain.children[0]?.process.stdout?.on("data", (chunk: Buffer) => said.push(chunk));
    await feed(chain, enclosed(script, key));
  });
  if (Buffer.concat(said).toString("utf8").trimEnd().endsWith(key)) return;
  throw new TrivaultError(
    "RESTORE_FAILED",
    `The restore into ${describeConnection(connection)} was undone: the SQL dump ends in the middle of a statement.`,
    { permanent: true },
  );
}

/**
 * The transaction is ours and not psql's --single-transaction, which commits also where its input merely ends. Only psql
 * that came to the end of the whole script, outside of any string or COPY, prints the key.
 */
async function* enclosed(script: AsyncIterable<Uint8Array>, key: string): AsyncGenerator<Buffer> {
  yield Buffer.from(`\\restrict ${key}\nBEGIN;\nSET search_path = '';\n`);
  yield* forTarget(decompressed(script));
  yield Buffer.from(`\nCOMMIT;\n\\unrestrict ${key}\n\\echo ${key}\n`);
}

async function* decompressed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(bytes, { objectMode: true, highWaterMark: 1 });
  const sink = createZstdDecompress();
  source.on("error", (error) => sink.destroy(error));
  try {
    yield* source.pipe(sink);
  } finally {
    source.destroy();
  }
}
