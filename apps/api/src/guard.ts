import { type Access, type Identity, mayAct, type Session } from "@trivault/access";
import { escapeHtml } from "@trivault/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Caller, createCallerFinder } from "./caller.ts";
import type { Cookies } from "./cookies.ts";
import { changesSomething, isCrossSite, localPath } from "./cross-site.ts";
import { CSRF_FIELD, CSRF_HEADER } from "./csrf.ts";
import type { ApiDeps, App } from "./deps.ts";
import type { ShowProblem } from "./dashboard/show-problem.ts";
import { readsPages, sendPage } from "./page.ts";
import type { Problem } from "./problem.ts";
import type { RateLimiter } from "./rate-limits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The session of a user of the dashboard who has logged in; null for all others. */
    session: Session | null;
    /** Its form has to carry the token, which is known once its body is read. */
    csrfDue: boolean;
    /** What its form carried. */
    csrfSent: string | null;
    /** Whether whoever sent it would be let in now, for answers that go on for hours. */
    stillLetIn: () => Promise<boolean>;
  }
}

export interface Guard {
  readonly cookies: Cookies;
  readonly limit: RateLimiter;
  readonly showProblem: ShowProblem;
  readonly onRefused: (request: FastifyRequest, problem: Problem) => void;
}

/**
 * One hook before every route, known or not, so that no route can be forgotten: who it is, whether they may, and whether
 * it is they who ask and not a page that they look at. A route that does not say who may call it is closed to all.
 */
export function guardRequests(
  app: App,
  { config, access }: ApiDeps,
  { cookies, limit, showProblem, onRefused }: Guard,
): void {
  const { publicUrl } = config.api;
  const findCaller = createCallerFinder(config.api, access, cookies);
  app.decorateRequest("identity", null as unknown as Identity);
  app.decorateRequest("session", null);
  app.decorateRequest("csrf", "");
  app.decorateRequest("csrfDue", false);
  app.decorateRequest("csrfSent", null);
  app.decorateRequest("stillLetIn", async function stillLetIn(this: FastifyRequest) {
    const needed = this.routeOptions.config.access;
    const caller = await findCaller(this);
    return (
      typeof caller !== "string" && needed !== undefined && needed !== "public" && mayAct(caller.identity.role, needed)
    );
  });

  // Answered here and not thrown: Bull Board's routes have an error handler of their own.
  const refuse = (request: FastifyRequest, reply: FastifyReply, problem: Problem) => {
    onRefused(request, problem);
    return showProblem(request, reply, problem);
  };

  app.addHook("onRequest", async (request, reply) => {
    const needed = request.routeOptions.config.access;
    if (needed === "public") {
      return isCrossSite(request, publicUrl) ? refuse(request, reply, CROSS_SITE) : undefined;
    }
    const caller = await findCaller(request);
    if (typeof caller === "string") {
      if (await limit("unknown", request, reply)) return reply;
      if (caller === "foreign-host") return refuse(request, reply, FOREIGN_HOST);
      return askWhoItIs(request, reply, access, cookies, () => refuse(request, reply, UNAUTHORIZED));
    }
    await welcome(request, reply, caller);
    if (await limit("known", request, reply)) return reply;
    if (isCrossSite(request, publicUrl)) return refuse(request, reply, CROSS_SITE);
    if (needed === undefined) {
      return request.routeOptions.url === undefined ? undefined : refuse(request, reply, NO_RULE);
    }
    const { identity } = caller;
    if (!mayAct(identity.role, needed)) return refuse(request, reply, roleNeeded(needed, identity));
    if (!request.csrfDue) return undefined;
    const sent = request.headers[CSRF_HEADER];
    if (sent === undefined) return undefined; // then it is in the form
    if (!(await access.checkCsrf(bindingOf(caller), String(sent)))) return refuse(request, reply, NO_CSRF);
    request.csrfDue = false;
    return undefined;
  });

  app.addHook("preValidation", async (request, reply) => {
    const sent = takeField(request.body);
    request.csrfSent = sent;
    if (!request.csrfDue) return undefined;
    if (sent !== null && (await access.checkCsrf(bindingOf(request), sent))) return undefined;
    return refuse(request, reply, NO_CSRF);
  });

  async function welcome(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<void> {
    const { identity, session, byBrowser } = caller;
    request.identity = identity;
    request.session = session;
    request.csrf = await access.csrfToken(bindingOf(caller));
    if (session !== null) cookies.refresh(reply, session);
    request.csrfDue = changesSomething(request) && (session !== null || (byBrowser && isForm(request)));
  }
}

/** A person is shown the way in; a program gets what it lacks. */
async function askWhoItIs(
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
  cookies: Cookies,
  refuse: () => FastifyReply,
): Promise<FastifyReply> {
  const { headers, url } = request;
  const members = await access.members();
  if (readsPages(request) && !changesSomething(request) && (members === "users" || members === "first")) {
    // A link on a foreign page: a browser keeps SameSite cookies back, but not from what our own page asks for next.
    const followed = headers["sec-fetch-site"] === "cross-site" && cookies.read(request, "session") === null;
    if (followed)
      return sendPage(
        reply,
        `<!doctype html><meta http-equiv="refresh" content="0;url=${escapeHtml(localPath(url))}">`,
      );
    return reply.redirect(`/login?next=${encodeURIComponent(localPath(url))}`);
  }
  // Basic makes a browser ask; its password is the token, its user name is not looked at. Not where a script asks.
  const mode = headers["sec-fetch-mode"];
  const asks = mode === undefined || mode === "navigate";
  reply.header("www-authenticate", ['Bearer realm="Trivault"', ...(asks ? [BASIC] : [])]);
  return refuse();
}

const BASIC = 'Basic realm="Trivault", charset="UTF-8"';

const UNAUTHORIZED: Problem = {
  status: 401,
  code: "UNAUTHORIZED",
  detail:
    "Send the header `Authorization: Bearer <token>` with BACKUP_API_TOKEN, a token that `trivault token create` made and that has not expired, or that of the first start (`.trivault/admin-token` in BACKUP_DIR); a browser may give it as the password, with any user name.",
};
const FOREIGN_HOST: Problem = {
  status: 403,
  code: "FORBIDDEN",
  detail:
    "BACKUP_API_OPEN is true, so the API answers only to requests of this machine for localhost. Use http://localhost or http://127.0.0.1; or take BACKUP_API_OPEN away, and set BACKUP_API_TOKEN or add users.",
};
const CROSS_SITE: Problem = {
  status: 403,
  code: "FORBIDDEN",
  detail: "A web page of another site may not change anything here.",
};
const NO_CSRF: Problem = {
  status: 403,
  code: "FORBIDDEN",
  detail: `This page is no longer valid, or the request did not come from it. Load the page again, and repeat what you did. (A script sends the header ${CSRF_HEADER} that GET /api/v1/me answers.)`,
};
const NO_RULE: Problem = {
  status: 403,
  code: "FORBIDDEN",
  detail:
    "This route does not say who may call it, so nobody may. That is a mistake of this program; please report it.",
};

function roleNeeded(needed: string, { actor, role }: Identity): Problem {
  const detail = `This takes the role ${needed}, and ${actor} has the role ${role}.`;
  return { status: 403, code: "ROLE_NEEDED", detail };
}

/** What its CSRF token belongs to. */
function bindingOf({ session, identity }: { session: Session | null; identity: Identity }): string {
  return session === null ? identity.actor : bindingOfSession(session);
}

export function bindingOfSession({ id }: Session): string {
  return `session ${id}`;
}

function isForm({ headers }: FastifyRequest): boolean {
  return /^(?:application\/x-www-form-urlencoded|multipart\/|text\/plain)/i.test(headers["content-type"] ?? "");
}

/** Taken out, so that no schema has to know of it. */
function takeField(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !(CSRF_FIELD in body)) return null;
  const { [CSRF_FIELD]: value } = body;
  delete body[CSRF_FIELD];
  return typeof value === "string" ? value : null;
}
