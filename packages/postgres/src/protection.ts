import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { TrivaultError } from "@trivault/core";
import type { Client } from "pg";
import { type AuthMethod, type Connection, describeConnection } from "./connection-url.ts";

/**
 * Who may get the password. A server whose certificate is verified may ask for it in any manner, and so may one on this
 * machine. Any other may be an impostor, who would ask for it in clear: it gets no more than SCRAM, which gives nothing away
 * and in which the server must prove that it knows the password, too. The URL's `require_auth` takes the place of this rule.
 * Null: any method.
 */
export function allowedMethods(connection: Connection): readonly AuthMethod[] | null {
  if (connection.requireAuth !== null) return connection.requireAuth;
  const nothingToLose = connection.password === null;
  return nothingToLose || isThisMachine(connection) || verifiesServer(connection) ? null : ["scram-sha-256"];
}

/** As libpq: "require" with a root certificate verifies the chain, for the sake of old installations. */
export function verifiesServer({ sslMode, sslRootCert }: Connection): boolean {
  if (sslMode === "verify-full" || sslMode === "verify-ca") return true;
  return sslMode === "require" && (sslRootCert ?? userFile("root.crt")) !== null;
}

/** Where libpq looks by default. */
export function userFile(name: string): string | null {
  const file = path.join(homedir(), ".postgresql", name);
  return existsSync(file) ? file : null;
}

function isThisMachine({ host }: Connection): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const REQUESTS = {
  authenticationCleartextPassword: "password",
  authenticationMD5Password: "md5",
  authenticationSASL: "scram-sha-256",
} as const satisfies Record<string, AuthMethod>;

export interface Guard {
  /** Throws where the server has asked for the password in a manner that is not allowed; node-postgres asks before it sends one. */
  password(): string;
  /** Throws where the server let the client in without what is demanded of it. */
  checkLogin(): void;
}

/** Watches how the server of a client that is about to connect asks for the password. */
export function guardPassword(client: Client, connection: Connection): Guard {
  const allowed = allowedMethods(connection);
  let asked: AuthMethod = "none";
  let proven = false;
  for (const [event, method] of Object.entries(REQUESTS)) client.connection.on(event, () => (asked = method));
  client.connection.on("authenticationSASLFinal", () => (proven = true));
  const check = (): void => {
    if (allowed !== null && !allowed.includes(asked)) throw notAllowed(connection, asked);
  };
  return {
    password() {
      check();
      return connection.password ?? "";
    },
    checkLogin() {
      check();
      // The last message of SCRAM is the server's proof; one that is an impostor would leave it out.
      if (asked === "scram-sha-256" && !proven) throw notAllowed(connection, "none");
    },
  };
}

const MANNERS: Readonly<Record<AuthMethod, string>> = {
  password: "asks for the password in clear",
  md5: "asks for the password as MD5, which gives it away",
  "scram-sha-256": "asks for the password by SCRAM",
  none: "does not ask for the password, nor prove that it knows it",
};

/** For whoever cannot connect because of `allowedMethods`. */
export const HOW_TO_ALLOW =
  "Beyond this machine a password goes by SCRAM only, unless the server's certificate is verified. Either let the server ask for " +
  "scram-sha-256 (password_encryption, the password set anew, pg_hba.conf), or verify its certificate (sslmode=verify-full and " +
  "sslrootcert=<file> in the URL). Client programs before PostgreSQL 16 can do SCRAM alone only over TLS (ssl = on in " +
  "postgresql.conf). Where the network itself is trusted, the URL may say so: require_auth=password,md5,scram-sha-256,none.";

/** What libpq says then, to require_auth and to channel_binding. */
export const NOT_ALLOWED = /authentication method requirement|channel binding (?:is )?required/i;

function notAllowed(connection: Connection, asked: AuthMethod): TrivaultError {
  const message = `The server of ${describeConnection(connection)} ${MANNERS[asked]}, and got nothing: it may be an impostor. ${HOW_TO_ALLOW}`;
  return new TrivaultError("DATABASE_REFUSED", message, { permanent: true });
}

/** What stands between a connection that is open and whoever listens on the way, or plays the server. */
export function describeProtection(connection: Connection, client: Client): string {
  if (isThisMachine(connection)) return "on this machine";
  const encrypted = "encrypted" in client.connection.stream;
  if (encrypted && verifiesServer(connection)) return "TLS, certificate verified";
  const allowed = allowedMethods(connection);
  const byScram = allowed?.length === 1 && allowed[0] === "scram-sha-256";
  const password =
    connection.password === null ? "no password" : byScram ? "password by SCRAM only" : "PASSWORD UNPROTECTED";
  return `${encrypted ? "TLS, certificate NOT verified" : "NO TLS"}, ${password}`;
}
