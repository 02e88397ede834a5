import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import {
  createSampleDatabase,
  findProgram,
  makeTempDir,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from "@trivault/testkit";

const run = promisify(execFile);

/** What an operator has before the first backup: a database, Redis, a key pair, and a folder for everything. */
export interface Source extends AsyncDisposable {
  readonly folder: string;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly database: { readonly name: string; readonly url: string; readonly bytes: number };
  readonly recipient: string;
  readonly identityFile: string;
  /** For libpq's own programs, which the usual script calls. */
  readonly libpqEnv: Readonly<Record<string, string>>;
}

const DATABASE = "shop";

export async function prepareSource(megabytes: number): Promise<Source> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTempDir("tv-bench")).path;
  const postgres = stack.use(await startPostgres());
  const redis = stack.use(await startRedis());
  const url = await postgres.createDatabase(DATABASE);
  const bytes = await createSampleDatabase(url, { megabytes });
  const { recipient, identityFile } = await makeKeys(folder);
  const passFile = path.join(folder, "pgpass");
  await writeFile(passFile, `*:*:*:*:${postgres.password}\n`, { mode: 0o600 });
  const owned = stack.move();
  return {
    folder,
    postgres,
    redis,
    database: { name: DATABASE, url, bytes },
    recipient,
    identityFile,
    libpqEnv: {
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGUSER: postgres.user,
      PGPASSFILE: passFile,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** By the age program, since the usual script and Trivault are to use the same key. */
async function makeKeys(folder: string): Promise<{ recipient: string; identityFile: string }> {
  const keygen = findProgram("age-keygen", "age");
  const identityFile = path.join(folder, "identity.txt");
  await run(keygen, ["-o", identityFile]);
  const { stdout } = await run(keygen, ["-y", identityFile]);
  return { recipient: stdout.trim(), identityFile };
}
