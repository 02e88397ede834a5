import formbody from "@fastify/formbody";
import type { LoginResult } from "@trivault/access";
import { chooseLanguage, loginPage } from "@trivault/dashboard";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { localPath } from "../cross-site.ts";
import { assetUrl } from "../dashboard/assets.ts";
import type { ApiDeps, App } from "../deps.ts";
import { bindingOfSession, type Guard } from "../guard.ts";
import { sendPage } from "../page.ts";
import { createFirstVisit } from "./first-visit.ts";
import { formNonce, isFormOurs } from "./form-nonce.ts";
import { LOGIN_TEXTS } from "./login-texts.ts";

/** What the two forms of the page send: first user and password, then the code. */
const form = z.object({
  user: z.string().max(200).catch(""),
  password: z.string().max(4000).catch(""),
  code: z.string().max(100).optional().catch(undefined),
  next: z.string().max(2000).catch("/"),
});
const query = z.object({ next: z.string().max(2000).catch("/") });
const PUBLIC = { schema: { hide: true }, config: { access: "public" } } as const;

/** Works without scripts. Whoever comes in is recorded, and so is whoever does not. */
export async function loginRoutes(app: App, deps: ApiDeps, guard: Guard): Promise<void> {
  const { access, record } = deps;
  const { cookies } = guard;
  const firstVisit = createFirstVisit(deps, guard);

  /** The form, for this browser alone: without that, a foreign page could log somebody in as somebody else. */
  async function show(
    reply: FastifyReply,
    page: { step: Step; next: string; problem: string | null; status?: number },
  ) {
    const { request } = reply;
    const html = loginPage({
      language: chooseLanguage(request.headers["accept-language"]),
      now: new Date(),
      assetUrl,
      problem: page.problem,
      next: localPath(page.next),
      step: page.step,
      csrf: await access.csrfToken(`form ${formNonce(cookies, reply)}`),
    });
    return sendPage(reply, html, page.status);
  }

  async function sessionOf(request: FastifyRequest) {
    const cookie = cookies.read(request, "session");
    return cookie === null ? null : access.session(cookie);
  }

  async function enter(reply: FastifyReply, result: LoginResult & { status: "ok" }, next: string) {
    const { request } = reply;
    const details = { ip: request.ip };
    await record({ action: "access.login", outcome: "ok", actor: result.identity.actor, details });
    request.log.info({ actor: result.identity.actor, ip: request.ip }, "logged in");
    cookies.set(reply, "session", result.session);
    cookies.set(reply, "device", result.device);
    cookies.clear(reply, "ticket");
    cookies.clear(reply, "form");
    return reply.redirect(localPath(next), 303);
  }

  /** Refusals of existing users one by one, as the lock-out bounds them; all others are counted. */
  async function recordRefusal(request: FastifyRequest, result: LoginResult & { status: "refused" | "locked" }) {
    const { ip } = request;
    const why = result.status === "locked" ? "locked out after failed logins" : "wrong password or code";
    request.log.warn({ ip, user: result.user, why }, "login refused");
    if (result.status === "locked" || result.user === null) {
      guard.onRefused(request, { status: 403, code: "LOGIN_REFUSED", detail: `A login was refused: ${why}.` });
      return;
    }
    const error = { code: "LOGIN_REFUSED", message: why };
    await record({ action: "access.login", outcome: "refused", actor: `user:${result.user}`, error, details: { ip } });
  }

  async function attempt(request: FastifyRequest, reply: FastifyReply) {
    const texts = LOGIN_TEXTS[chooseLanguage(request.headers["accept-language"])];
    const { user, password, code, next } = form.parse(request.body ?? {});
    if (!(await isFormOurs(cookies, access, request))) {
      return show(reply, { step: "password", next, problem: texts.expired, status: 403 });
    }
    const from = { ip: request.ip, device: cookies.read(request, "device") };
    const ticket = cookies.read(request, "ticket") ?? "";
    const result =
      code === undefined
        ? await access.login({ ...from, name: user, password, code: null })
        : await access.confirm({ ...from, ticket, code });
    if (result === null) return show(reply, { step: "password", next, problem: texts.again, status: 403 });
    if (result.status === "ok") return enter(reply, result, next);
    if (result.status === "code-needed") {
      cookies.set(reply, "ticket", result.ticket);
      return show(reply, { step: "code", next, problem: null });
    }
    await recordRefusal(request, result);
    const step = code === undefined ? "password" : "code";
    if (result.status === "refused") {
      const problem = step === "code" ? texts.wrongCode : texts.refused;
      return show(reply, { step, next, problem, status: 403 });
    }
    const seconds = Math.max(1, Math.ceil((result.until.getTime() - Date.now()) / 1000));
    reply.header("retry-after", seconds);
    return show(reply, { step, next, problem: texts.locked(Math.ceil(seconds / 60)), status: 429 });
  }

  await app.register(async (plugin) => {
    await plugin.register(formbody);

    plugin.get("/login", PUBLIC, async (request, reply) => {
      const { next } = query.parse(request.query);
      if ((await sessionOf(request)) !== null) return reply.redirect(localPath(next));
      if (await firstVisit.isDue()) return firstVisit.show(reply);
      const { noUsers } = LOGIN_TEXTS[chooseLanguage(request.headers["accept-language"])];
      const problem = (await access.members()) === "users" ? null : noUsers;
      return show(reply, { step: "password", next, problem });
    });

    plugin.post("/login", PUBLIC, async (request, reply) => {
      if (await guard.limit("login", request, reply)) return reply;
      try {
        return (await firstVisit.isDue()) ? await firstVisit.make(request, reply) : await attempt(request, reply);
      } catch (error) {
        request.log.error({ err: error }, "a login could not be checked");
        const { failed } = LOGIN_TEXTS[chooseLanguage(request.headers["accept-language"])];
        return show(reply, { step: "password", next: "/", problem: failed, status: 503 });
      }
    });

    plugin.post("/logout", PUBLIC, async (request, reply) => {
      const session = await sessionOf(request);
      if (session !== null && (await access.checkCsrf(bindingOfSession(session), request.csrfSent ?? ""))) {
        await access.endSession(session);
        const { actor } = session.identity;
        await record({ action: "access.login", outcome: "ok", actor, details: { ip: request.ip, left: true } });
        cookies.clear(reply, "session");
      }
      return reply.redirect("/login", 303);
    });
  });
}

type Step = "password" | "code";
