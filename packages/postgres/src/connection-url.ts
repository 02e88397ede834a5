import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { TrivaultError } from "@trivault/core";

export const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** As libpq's require_auth names them; `none` is a server that asks for nothing. */
export const AUTH_METHODS = ["password", "md5", "scram-sha-256", "none"] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** One server and one database, as a URL named them. The password stands here and nowhere else: no ~/.pgpass, no PGPASSWORD. */
export interface Connection {
  /** What holds the URL, for messages: `DATABASE_URL`, or "the database URL" where a person gave it. */
  readonly setting: string;
  /** A name, an address, or (with a leading slash) the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly sslRootCert: string | null;
  readonly sslCert: string | null;
  readonly sslKey: string | null;
  /** The manners in which the server may ask for the password, where the URL says so; otherwise see protection.ts. */
  readonly requireAuth: readonly AuthMethod[] | null;
  readonly connectTimeoutSeconds: number;
  /** Server settings for the session, such as `-c work_mem=64MB`. */
  readonly options: string | null;
  readonly applicationName: string;
}

const KNOWN = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "ssl",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "require_auth",
  "connect_timeout",
  "options",
  "application_name",
] as const;
type Parameter = (typeof KNOWN)[number];

/** Where libpq builds look for a local server's socket: Debian, Red Hat and Alpine; everything else. */
const SOCKET_DIRECTORIES = ["/run/postgresql", "/var/run/postgresql", "/tmp"];
const HOST = /^(?:\/[^,\0\n]*|[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?)$/;

/**
 * Reads `postgresql://user:password@host:port/database?parameters` as libpq does (PostgreSQL manual, 34.1.1.2), each part
 * percent-decoded once. Whatever it cannot carry over exactly to both libpq and node-postgres is refused (INPUT_INVALID):
 * a parameter silently ignored could be the one that asks for a verified certificate.
 */
export function parseDatabaseUrl(url: string, setting = "the database URL"): Connection {
  try {
    return { setting, ...readUrl(url) };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    const message = `${setting.replace(/^the /, "The ")} cannot be used: ${error.message}.`;
    throw new TrivaultError("INPUT_INVALID", message, { permanent: true });
  }
}

function readUrl(url: string): Omit<Connection, "setting"> {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url);
  if (!match) throw invalid("it is not of the form postgresql://user:password@host:5432/database");
  const [, credentials, authority = "", path = "", query = ""] = match;
  const values = { ...parseCredentials(credentials), ...parseAuthority(authority), ...parseQuery(query) };

  const port = wholeNumber("port", values.port ?? "5432", 1, 65535);
  const host = values.host ?? defaultHost(port);
  if (host.includes(",")) throw invalid("it names several hosts; a backup needs exactly one");
  if (!HOST.test(host)) throw invalid("its host is not valid (a special character in the password? write @ as %40)");
  const database = decode(path) || values.dbname;
  if (path !== "" && values.dbname !== undefined) throw invalid("it names the database twice (path and dbname)");
  if (database === undefined || database === "") throw invalid("it names no database; add /name after the host");
  const sslMode = values.sslmode ?? (values.ssl === "true" ? "require" : "prefer");
  if (!isSslMode(sslMode)) throw invalid(`sslmode must be one of ${SSL_MODES.join(", ")}`);
  if (values.password !== undefined && /[\r\n]/.test(values.password)) {
    throw invalid("its password holds a line break, which a libpq password file cannot carry");
  }
  return {
    host,
    port,
    user: values.user || userInfo().username,
    password: values.password ?? null,
    database,
    sslMode,
    sslRootCert: values.sslrootcert || null,
    sslCert: values.sslcert || null,
    sslKey: values.sslkey || null,
    requireAuth: values.require_auth ? authMethods(values.require_auth) : null,
    connectTimeoutSeconds: wholeNumber("connect_timeout", values.connect_timeout ?? "15", 2, 3600),
    options: values.options || null,
    applicationName: values.application_name || "trivault",
  };
}

/** For messages: who and where, never the password. */
export function describeConnection({ user, host, port, database }: Connection): string {
  return `database ${JSON.stringify(database)} on ${host}${host.startsWith("/") ? "" : `:${port}`} as user ${JSON.stringify(user)}`;
}

function parseCredentials(text: string | undefined): Partial<Record<Parameter, string>> {
  if (text === undefined) return {};
  const colon = text.indexOf(":");
  if (colon === -1) return { user: decode(text) };
  return { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function parseAuthority(text: string): Partial<Record<Parameter, string>> {
  if (text.includes(",")) throw invalid("it names several hosts; a backup needs exactly one");
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text);
  if (!match) throw invalid("its host is not valid (an IPv6 address stands in brackets, as in [::1]:5432)");
  const host = decode(match[1] ?? match[2] ?? "");
  return { ...(host === "" ? {} : { host }), ...(match[3] ? { port: decode(match[3]) } : {}) };
}

function parseQuery(text: string): Partial<Record<Parameter, string>> {
  const values: Partial<Record<Parameter, string>> = {};
  for (const pair of text.split("&").filter((item) => item !== "")) {
    const equals = pair.indexOf("=");
    if (equals === -1) throw invalid(`its parameter ${JSON.stringify(pair)} has no value`);
    const name = decode(pair.slice(0, equals));
    if (!isKnown(name)) {
      throw invalid(`it has the parameter ${JSON.stringify(name)}; those that work are ${KNOWN.join(", ")}`);
    }
    if (name in values) throw invalid(`it has the parameter ${name} twice`);
    values[name] = decode(pair.slice(equals + 1));
  }
  // JDBC's way of asking for TLS, which libpq accepts in URLs as well.
  if (values.ssl !== undefined && (values.ssl !== "true" || values.sslmode !== undefined)) {
    throw invalid("ssl can only be true, and not beside sslmode; use sslmode alone");
  }
  return values;
}

function isKnown(name: string): name is Parameter {
  return (KNOWN as readonly string[]).includes(name);
}

function authMethods(text: string): AuthMethod[] {
  const methods = text.split(",");
  if (methods.every(isAuthMethod)) return methods;
  throw invalid(`require_auth must be a list of ${AUTH_METHODS.join(", ")}`);
}

function isAuthMethod(text: string): text is AuthMethod {
  return (AUTH_METHODS as readonly string[]).includes(text);
}

function isSslMode(text: string): text is SslMode {
  return (SSL_MODES as readonly string[]).includes(text);
}

function defaultHost(port: number): string {
  const found = SOCKET_DIRECTORIES.find((directory) => existsSync(`${directory}/.s.PGSQL.${port}`));
  return found ?? "localhost";
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw invalid("a part of it is not valid percent-encoding (write % itself as %25)");
  }
  if (decoded.includes("\0")) throw invalid("it holds a NUL byte");
  return decoded;
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw invalid(`${name} must be a whole number from ${min} to ${max}`);
  return value;
}

function invalid(why: string): Unusable {
  return new Unusable(why);
}

/** Why no connection can be read from a URL. */
class Unusable extends Error {}
