import { createHash, timingSafeEqual } from "node:crypto";
import { isIPv4 } from "node:net";
import { type ApiConfig, TrivaultError } from "@trivault/core";
import type { FastifyRequest } from "fastify";
import type { App } from "./deps.ts";
import { type Problem, sendProblem } from "./problem.ts";

/** Everything else needs the token: a route is closed unless it stands here. */
const PUBLIC_ROUTES: ReadonlySet<string | undefined> = new Set(["/healthz"]);
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
/** Basic makes a browser ask; its password is the token, its user name is not looked at. */
const CHALLENGES = ['Bearer realm="Trivault"', 'Basic realm="Trivault", charset="UTF-8"'];

/** Without a token only this machine may reach the API. */
export function requireTokenBeyondLoopback({ host, token }: Pick<ApiConfig, "host" | "token">): void {
  if (token !== null || isLoopback(host)) return;
  throw new TrivaultError(
    "CONFIG_INVALID",
    `The API would listen on BACKUP_API_HOST ${host} without a token, so anybody who reaches this machine could start backups and read about them. Set BACKUP_API_TOKEN (\`openssl rand -hex 32\` prints one), or leave BACKUP_API_HOST at 127.0.0.1.`,
    { permanent: true },
  );
}

/** One hook before every route, known or not, so that no route can be forgotten. */
export function guardRequests(
  app: App,
  token: string | null,
  onRefused: (request: FastifyRequest, problem: Problem) => void,
): void {
  const mayEnter = token === null ? namesThisMachine : carriesToken(token);
  app.addHook("onRequest", async (request, reply) => {
    if (PUBLIC_ROUTES.has(request.routeOptions.url)) return undefined;
    // Answered here and not thrown: Bull Board's routes have an error handler of their own.
    const entered = mayEnter(request);
    if (entered && !isCrossSite(request)) return undefined;
    if (!entered && token !== null) reply.header("www-authenticate", CHALLENGES);
    const problem = entered ? CROSS_SITE : token === null ? FOREIGN_HOST : UNAUTHORIZED;
    onRefused(request, problem);
    return sendProblem(reply, problem);
  });
}

const UNAUTHORIZED: Problem = {
  status: 401,
  code: "UNAUTHORIZED",
  detail:
    "Send the header `Authorization: Bearer <BACKUP_API_TOKEN>`; a browser may give the token as the password, with any user name.",
};
const FOREIGN_HOST: Problem = {
  status: 403,
  code: "FORBIDDEN",
  detail:
    "No BACKUP_API_TOKEN is set, so the API answers only to requests for localhost. Use http://localhost or http://127.0.0.1, or set BACKUP_API_TOKEN.",
};
const CROSS_SITE: Problem = {
  status: 403,
  code: "FORBIDDEN",
  detail: "A web page of another site may not change anything here.",
};

/** Digests have one length, which `timingSafeEqual` needs, and tell nothing about how much of a guess was right. */
function carriesToken(token: string): (request: FastifyRequest) => boolean {
  const expected = digest(token);
  return ({ headers }) => {
    const presented = presentedToken(headers.authorization);
    return presented !== null && timingSafeEqual(digest(presented), expected);
  };
}

function presentedToken(header = ""): string | null {
  const [, scheme = "", credentials = ""] = /^(\S+) +(.+)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === "bearer") return credentials;
  if (scheme.toLowerCase() !== "basic") return null;
  const [, password = null] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, "base64").toString("utf8")) ?? [];
  return password;
}

/** DNS rebinding: a page on evil.example whose name is made to mean 127.0.0.1 still sends `Host: evil.example`. */
function namesThisMachine({ headers }: FastifyRequest): boolean {
  const url = `http://${headers.host ?? ""}`;
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, "$1"));
}

/**
 * A browser sends the credentials it knows (or, on loopback, needs none) for any page's request. What tells its origin is
 * checked as Go's net/http CrossOriginProtection does; programs that are no browsers send neither header.
 */
function isCrossSite({ method, headers }: FastifyRequest): boolean {
  if (SAFE_METHODS.has(method)) return false;
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin, host } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
