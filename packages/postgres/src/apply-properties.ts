import { messageOf, TrivaultError } from "@trivault/core";
import type pg from "pg";
import { withClient } from "./connect.ts";
import { connectionError } from "./connection-error.ts";
import type { Connection } from "./connection-url.ts";
import type { Details } from "./details.ts";
import type { Properties } from "./properties.ts";
import { identifier, literal, setClause } from "./sql-text.ts";

/** What was done with the properties of the database that was backed up, a sentence each. */
export interface AppliedProperties {
  readonly applied: readonly string[];
  /** What the target lacks now, of what the source had: why, and the statement that would do it. */
  readonly refused: readonly string[];
}

/** What else goes with a database, in the order in which it is done. */
interface Step {
  /** For a sentence: `the setting "timezone"`. */
  readonly what: string;
  readonly statement: string;
}

/**
 * Settings that every session of a restore would begin with, and that would hinder or change it: they come after the data. All
 * others come before, as functions in checks, indexes and generated columns may read them.
 */
const AFTER_DATA = new Set([
  "client_encoding",
  "default_table_access_method",
  "default_tablespace",
  "default_transaction_deferrable",
  "default_transaction_isolation",
  "default_transaction_read_only",
  "event_triggers",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
  "lock_timeout",
  "role",
  "row_security",
  "session_replication_role",
  "statement_timeout",
  "temp_tablespaces",
  "transaction_timeout",
]);
/** They load a program into each session of the target, of whoever: a person decides that. */
const LOADS_A_LIBRARY = new Set(["local_preload_libraries", "session_preload_libraries"]);

export interface ApplyProperties {
  readonly details: Details;
  /** `before`: the settings under which the data is to be read. `after`: the rest, at the very end of the restore. */
  readonly when: "before" | "after";
  /** Nothing that names a role: owner, rights, settings of a role. */
  readonly noOwner: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives the target what belonged to the database itself. Each by itself: what cannot be done is listed, and holds up nothing
 * else. Done again, it comes to the same.
 */
export async function applyProperties(
  connection: Connection,
  { details, when, noOwner, signal }: ApplyProperties,
): Promise<AppliedProperties> {
  const { properties } = details;
  if (properties === undefined) return { applied: [], refused: [] };
  const apply = async (client: pg.Client) => {
    const applied: string[] = [];
    const refused = when === "before" ? leftOut(properties) : [];
    const carryOut = async ({ what, statement }: Step) => {
      try {
        await client.query(statement);
        applied.push(what);
      } catch (error) {
        signal?.throwIfAborted();
        refused.push(`${what}: ${messageOf(error)}; if it shall be so: ${statement}`);
      }
    };
    try {
      // A setting that came back with the database must not hold up what follows.
      await client.query("SET search_path = ''; SET default_transaction_read_only = off; SET statement_timeout = 0");
      for (const step of steps(connection.database, properties, when, noOwner)) await carryOut(step);
      if (when === "after" && !noOwner) {
        if (properties.rights !== null) {
          const owner = await ownerOf(client);
          for (const step of rightsOf(connection.database, properties.rights, details.owner, owner))
            await carryOut(step);
        }
        // Last: whoever gives a database away may do nothing more with it.
        const name = identifier(connection.database);
        await carryOut({
          what: `the owner ${JSON.stringify(details.owner)}`,
          statement: `ALTER DATABASE ${name} OWNER TO ${identifier(details.owner)}`,
        });
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionError(error, connection);
    }
    return { applied, refused };
  };
  return withClient(connection, apply, signal);
}

/** What is not even tried. */
function leftOut({ settings }: Properties): string[] {
  if (settings === null)
    return ["the settings of the database are not in the backup: the user who made it may not read them"];
  return settings
    .filter((setting) => LOADS_A_LIBRARY.has(setting.name.toLowerCase()))
    .map(({ name }) => `the setting ${JSON.stringify(name)} is left out, as it loads a program into each session`);
}

function steps(database: string, properties: Properties, when: "before" | "after", noOwner: boolean): Step[] {
  const name = identifier(database);
  const wanted = (properties.settings ?? []).filter(
    (setting) => !LOADS_A_LIBRARY.has(setting.name.toLowerCase()) && (when === "before") === isBefore(setting),
  );
  const settings = wanted
    .filter(({ role }) => !noOwner || role === null)
    .map((setting): Step => {
      const whose = setting.role === null ? "" : ` of the role ${JSON.stringify(setting.role)}`;
      const subject =
        setting.role === null ? `ALTER DATABASE ${name}` : `ALTER ROLE ${identifier(setting.role)} IN DATABASE ${name}`;
      return {
        what: `the setting ${JSON.stringify(setting.name)}${whose}`,
        statement: `${subject} ${setClause(setting)}`,
      };
    });
  if (when === "before") return settings;
  const { comment, connectionLimit } = properties;
  return [
    ...settings,
    ...(comment === null
      ? []
      : [{ what: "the comment", statement: `COMMENT ON DATABASE ${name} IS ${literal(comment)}` }]),
    ...(connectionLimit === -1
      ? []
      : [
          {
            what: `the connection limit of ${connectionLimit}`,
            statement: `ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimit}`,
          },
        ]),
  ];
}

function isBefore({ role, name }: NonNullable<Properties["settings"]>[number]): boolean {
  return role === null && !AFTER_DATA.has(name.toLowerCase());
}

/**
 * The owner's own rights are granted to whoever owns the target now; ALTER DATABASE … OWNER hands them on. What PostgreSQL gives by
 * itself (PUBLIC may connect) goes first, or nobody would be kept out.
 */
function rightsOf(database: string, rights: NonNullable<Properties["rights"]>, before: string, now: string): Step[] {
  const on = `ON DATABASE ${identifier(database)}`;
  const grants = rights.map(({ grantee, privilege, grantable }): Step => {
    const shown = grantee === null ? "PUBLIC" : JSON.stringify(grantee);
    const to = grantee === null ? "PUBLIC" : identifier(grantee === before ? now : grantee);
    const option = grantable ? " WITH GRANT OPTION" : "";
    return { what: `${privilege} for ${shown}`, statement: `GRANT ${privilege} ${on} TO ${to}${option}` };
  });
  return [
    {
      what: "the rights that PostgreSQL gives by itself are taken back",
      statement: `REVOKE ALL ${on} FROM PUBLIC, ${identifier(now)}`,
    },
    ...grants,
  ];
}

async function ownerOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ owner: string }>(
    "SELECT pg_catalog.pg_get_userbyid(datdba) AS owner FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
  );
  const [row] = rows;
  if (row === undefined) throw new TrivaultError("RESTORE_FAILED", "The database that was restored into is gone.");
  return row.owner;
}
