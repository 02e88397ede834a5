import { TrivaultError } from "@trivault/core";
import type { Client } from "pg";
import { localeColumns } from "./catalogue.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import type { Details } from "./details.ts";

type Locale = Pick<Details, "encoding" | "collation" | "ctype" | "localeProvider" | "locale">;

/**
 * Holds a database that is there already against the one that was backed up, before anything is written. Throws where bytes would
 * be taken for characters that they are not; returns sentences about what else differs, as by it texts sort otherwise.
 */
export async function compareLocale(
  client: Client,
  major: number,
  connection: Connection,
  source: Locale,
): Promise<string[]> {
  const { rows } = await client.query<Locale>(
    `SELECT ${localeColumns(major)} FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`,
  );
  const [target] = rows;
  if (target === undefined) return [];
  const encodings = [source.encoding, target.encoding];
  if (encodings[0] !== encodings[1] && encodings.includes("SQL_ASCII")) {
    const message =
      `The backup's encoding is ${source.encoding}, and that of ${describeConnection(connection)} is ${target.encoding}: SQL_ASCII ` +
      "takes any bytes, so texts would come out as others, or as none, and nothing would show it. Nothing was changed. " +
      "Name a database that does not exist yet: it is made with the encoding of the backup.";
    throw new TrivaultError("RESTORE_FAILED", message, { permanent: true });
  }
  const differing = (["encoding", "collation", "ctype", "localeProvider", "locale"] as const).filter(
    (field) => (source[field] ?? null) !== (target[field] ?? null),
  );
  return differing.map(
    (field) =>
      `the target's ${WORDS[field]} is ${target[field] ?? "none"}, that of the backup ${source[field] ?? "none"}`,
  );
}

const WORDS = {
  encoding: "encoding",
  collation: "LC_COLLATE",
  ctype: "LC_CTYPE",
  localeProvider: "locale provider",
  locale: "locale",
} as const;
