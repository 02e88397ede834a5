import { codeOf, TrivaultError } from "@trivault/core";
import { withClient } from "./connect.ts";
import type { Connection } from "./connection-url.ts";
import { literal } from "./sql-text.ts";

/**
 * lc_monetary is the one setting by which a value that a dump wrote is read as another, without an error: `$0.99` is 99 where the
 * locale knows no cents. So a restore reads under the one that the dump wrote under, and throws where the target has it not.
 */
export async function requireMoneyLocale(connection: Connection, locale: string, signal?: AbortSignal): Promise<void> {
  const look = async (client: { query: (sql: string) => Promise<unknown> }) => {
    try {
      await client.query(`SET lc_monetary = ${literal(locale)}`);
    } catch (cause) {
      signal?.throwIfAborted();
      if (codeOf(cause) !== "22023") throw cause; // invalid_parameter_value
      const message =
        `The backup holds amounts of type money that were written under the locale ${locale}, which the target server does not have: ` +
        "under another one they could be read as other amounts. Install it on that server (`locale -a` lists those it has), start PostgreSQL again, and restore again.";
      throw new TrivaultError("RESTORE_FAILED", message, { permanent: true, cause });
    }
  };
  await withClient(connection, look, signal);
}

/** The connection with that setting for each of its sessions. */
export function underMoneyLocale(connection: Connection, locale: string | null): Connection {
  if (locale === null) return connection;
  const setting = `-c lc_monetary=${locale.replaceAll(/[\\\s]/g, "\\$&")}`;
  return { ...connection, options: connection.options === null ? setting : `${connection.options} ${setting}` };
}
