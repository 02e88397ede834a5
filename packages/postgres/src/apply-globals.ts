import { TrivaultError, messageOf } from "@trivault/core";
import type pg from "pg";
import { withClient } from "./connect.ts";
import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import type { Globals } from "./globals.ts";
import { createTablespace, rolesBlock, SAID, SESSION } from "./globals-script.ts";

/** What was done with the roles of a backup, a sentence each. */
export interface AppliedGlobals {
  readonly made: readonly string[];
  /** What exists at the target, and is as it was. */
  readonly existing: readonly string[];
  /** What the target lacks now, of what the source had: we do not make it, or the server refused. */
  readonly refused: readonly string[];
}

/** Makes the roles and tablespaces that the target lacks; rolesBlock says what is left out. All roles, or none on an error. */
export async function applyGlobals(
  connection: Connection,
  globals: Globals,
  signal?: AbortSignal,
): Promise<AppliedGlobals> {
  const apply = async (client: pg.Client) => {
    const said = { made: [] as string[], existing: [] as string[], refused: [] as string[] };
    client.on("notice", ({ code, message = "" }) => {
      if (code === SAID.made) said.made.push(message);
      if (code === SAID.exists) said.existing.push(message);
      if (code === SAID.refused) said.refused.push(message);
    });
    try {
      await client.query(SESSION);
      await client.query(rolesBlock(globals));
    } catch (error) {
      signal?.throwIfAborted();
      const { message } = connectionError(error, connection);
      throw new TrivaultError("RESTORE_FAILED", `The roles of the backup could not be made: ${message}`, {
        cause: error,
      });
    }
    for (const tablespace of globals.tablespaces) {
      const shown = `the tablespace ${JSON.stringify(tablespace.name)}`;
      if (await hasTablespace(client, tablespace.name)) said.existing.push(`${shown} exists and is left as it is`);
      else {
        await client.query(createTablespace(tablespace)).then(
          () => said.made.push(`${shown} is made`),
          (error: unknown) => said.refused.push(`${shown} could not be made: ${messageOf(error)}`),
        );
      }
    }
    return said;
  };
  return withClient(connection, apply, signal);
}

/** The names in `roles` that the target's server does not have. */
export async function missingRoles(
  connection: Connection,
  roles: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  const look = async (client: pg.Client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
       WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) ORDER BY place`,
      [roles],
    );
    return rows.map(({ name }) => name);
  };
  return withClient(connection, look, signal);
}

async function hasTablespace(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM pg_catalog.pg_tablespace WHERE spcname = $1", [name]);
  return rowCount === 1;
}
