import { TrivaultError } from "@trivault/core";
import { type Outcome, statusOf, succeeded } from "./child.ts";
import { withClient } from "./connect.ts";
import { connectionError } from "./connection-error.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { conninfo, libpqEnv, withPassFile } from "./libpq.ts";
import { runTool } from "./run-tool.ts";
import type { Tools } from "./tools.ts";

export type Globals = { readonly sql: Buffer } | { readonly skipped: string };

/**
 * Roles and tablespaces as SQL. Only a superuser may read the roles' password hashes; others get roles without passwords,
 * and where even that is not allowed the backup goes on without: `skipped` says why. A lost connection is an error.
 */
export async function dumpGlobals(connection: Connection, tools: Tools): Promise<Globals> {
  const superuser = await isSuperuser(connection);
  const attempts = superuser ? [[], ["--no-role-passwords"]] : [["--no-role-passwords"]];
  let failure: Outcome | undefined;
  for (const extra of attempts) {
    const { outcome, stdout } = await dumpall(connection, tools, extra);
    if (succeeded(outcome)) return { sql: stdout };
    failure = outcome;
  }
  if (failure && /permission denied|must be superuser/i.test(failure.stderr)) {
    return { skipped: `pg_dumpall ${statusOf(failure)}: ${failure.stderr}` };
  }
  const said = failure ? `pg_dumpall ${statusOf(failure)}. It said: ${failure.stderr}` : "";
  throw new TrivaultError("DUMP_FAILED", `The roles of ${describeConnection(connection)} were not dumped: ${said}`);
}

/** Those of `roles` that the target's server does not have. */
export async function missingRoles(connection: Connection, roles: readonly string[]): Promise<string[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
       WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) ORDER BY place`,
      [roles],
    );
    return rows.map(({ name }) => name);
  });
}

/**
 * Makes the roles and tablespaces that the target lacks. Roles that exist there stay exactly as they are: taking over the
 * password of `postgres` from a backup would lock the operator out. Returns what the server refused, line by line; whether
 * that matters shows in `missingRoles`.
 */
export async function applyGlobals(connection: Connection, tools: Tools, sql: Uint8Array): Promise<string[]> {
  const existing = await withClient(connection, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT pg_catalog.quote_ident(rolname) AS name FROM pg_catalog.pg_roles",
    );
    return rows.map(({ name }) => name);
  });
  const input = Buffer.from(withoutRoles(Buffer.from(sql).toString("utf8"), new Set(existing)), "utf8");
  const { outcome } = await withPassFile(connection, (passFile) => {
    const args = ["--no-psqlrc", "--quiet", "--no-password", `--dbname=${conninfo(connection.database)}`, "--file=-"];
    return runTool({ name: "psql", file: tools.psql.path, args, env: libpqEnv(connection, passFile) }, input);
  });
  if (!succeeded(outcome)) {
    const message = `The roles of the backup could not be made: psql ${statusOf(outcome)}. It said: ${outcome.stderr}`;
    throw new TrivaultError("RESTORE_FAILED", message);
  }
  return outcome.stderr.split("\n").filter((line) => line.includes("ERROR:") && !line.includes("already exists"));
}

/** pg_dumpall writes one statement a line, with names quoted as quote_ident does. */
function withoutRoles(sql: string, existing: ReadonlySet<string>): string {
  const lines = sql.split("\n").filter((line) => {
    const name = /^(?:CREATE|ALTER) ROLE ("(?:[^"]|"")+"|[^\s;"]+)/.exec(line)?.[1];
    return name === undefined || !existing.has(name);
  });
  return lines.join("\n");
}

async function isSuperuser(connection: Connection): Promise<boolean> {
  return withClient(connection, async (client) => {
    try {
      const { rows } = await client.query<{ on: string }>("SELECT current_setting('is_superuser') AS on");
      return rows[0]?.on === "on";
    } catch (error) {
      throw connectionError(error, connection);
    }
  });
}

function dumpall(
  connection: Connection,
  tools: Tools,
  extra: readonly string[],
): Promise<{ outcome: Outcome; stdout: Buffer }> {
  return withPassFile(connection, (passFile) => {
    const args = ["--globals-only", "--no-password", `--database=${conninfo(connection.database)}`, ...extra];
    return runTool({ name: "pg_dumpall", file: tools.pgDumpall.path, args, env: libpqEnv(connection, passFile) });
  });
}
