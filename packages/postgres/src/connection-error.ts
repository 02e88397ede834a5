import { type ErrorCode, TrivaultError, codeOf, messageOf } from "@trivault/core";
import { type Connection, describeConnection } from "./connection-url.ts";

/** What to do next, by SQLSTATE (PostgreSQL manual, appendix A): all of these need a human. */
const REFUSALS: Record<string, (connection: Connection) => string> = {
  "28P01": ({ user, setting }) => `Check the password of user ${JSON.stringify(user)} in ${setting}.`,
  "28000": ({ setting }) => `Check the user in ${setting}, and the server's pg_hba.conf.`,
  "3D000": ({ setting }) => `Check the database name in ${setting}; \`psql -l\` lists those that exist.`,
  "42501": ({ user }) =>
    `Grant user ${JSON.stringify(user)} what is missing: CONNECT on the database, SELECT on its tables (pg_read_all_data, PostgreSQL 14 and later), BYPASSRLS where policies hide rows.`,
  "55000": () => "The database does not accept connections (it may be a template).",
  "22023": ({ setting }) => `Check the options in ${setting}.`,
  "42704": ({ setting }) => `Check the options in ${setting}.`,
};

/** What OpenSSL and Node say about a certificate that does not verify: not one of these codes is cured by waiting. */
const CERTIFICATE = /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY))/;

/** Turns what node-postgres throws while connecting or querying into an error that says what to do next. */
export function connectionError(error: unknown, connection: Connection): TrivaultError {
  if (error instanceof TrivaultError) return error;
  const code = codeOf(error) ?? codeOf(error instanceof AggregateError ? error.errors[0] : undefined) ?? "";
  const message = messageOf(error).trim();
  const where = describeConnection(connection);
  const make = (kind: ErrorCode, text: string, permanent: boolean): TrivaultError =>
    new TrivaultError(kind, text, { permanent, cause: error });

  if (connection.password === null && /password must be a (?:non-empty )?string|28P01/.test(`${message} ${code}`)) {
    const advice = "Add one, percent-encoded: postgresql://user:password@host/database.";
    return make(
      "DATABASE_REFUSED",
      `The server asks for a password for ${where}, and ${connection.setting} has none. ${advice}`,
      true,
    );
  }
  const next = REFUSALS[code];
  if (next) return make("DATABASE_REFUSED", `The server refuses ${where}: ${message}. ${next(connection)}`, true);
  if (CERTIFICATE.test(code)) {
    const advice = `Check sslmode and sslrootcert in ${connection.setting}, and the server's certificate.`;
    return make("DATABASE_REFUSED", `The TLS connection to ${where} is not trusted: ${message}. ${advice}`, true);
  }
  if (/does not support SSL/.test(message)) {
    const advice = `Turn on ssl in postgresql.conf, or choose another sslmode in ${connection.setting}.`;
    const text = `The server of ${where} speaks no TLS, and sslmode=${connection.sslMode} demands it. ${advice}`;
    return make("DATABASE_REFUSED", text, true);
  }
  const advice = `Check that the server runs and can be reached from here (host and port in ${connection.setting}, firewall).`;
  return make("DATABASE_UNREACHABLE", `No connection to ${where}: ${message}. ${advice}`, false);
}
