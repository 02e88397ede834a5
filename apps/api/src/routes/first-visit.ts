import { addUser, SHORTEST_PASSWORD } from "@trivault/access";
import { messageOf, TrivaultError } from "@trivault/core";
import { chooseLanguage, firstUserPage, firstVisitPage, TEXTS } from "@trivault/dashboard";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { assetUrl } from "../dashboard/assets.ts";
import type { ApiDeps } from "../deps.ts";
import type { Guard } from "../guard.ts";
import { sendPage } from "../page.ts";
import { formNonce, isFormOurs } from "./form-nonce.ts";
import { LOGIN_TEXTS } from "./login-texts.ts";

const form = z.object({
  token: z.string().max(200).catch(""),
  user: z.string().max(63).catch(""),
  password: z.string().max(4000).catch(""),
});

/**
 * The login where nobody but the token of the first start is let in: it makes the first user. Open to all, and of use to
 * nobody who cannot read that token's file.
 */
export function createFirstVisit({ access, config, record }: ApiDeps, { cookies, onRefused }: Guard) {
  async function show(reply: FastifyReply, problem: string | null = null, user = "", status = 200) {
    const html = firstVisitPage({
      language: chooseLanguage(reply.request.headers["accept-language"]),
      now: new Date(),
      assetUrl,
      problem,
      user,
      shortestPassword: SHORTEST_PASSWORD,
      csrf: await access.csrfToken(`form ${formNonce(cookies, reply)}`),
    });
    return sendPage(reply, html, status);
  }

  return {
    isDue: async () => (await access.members()) === "first",
    show,
    async make(request: FastifyRequest, reply: FastifyReply) {
      const language = chooseLanguage(request.headers["accept-language"]);
      const { token, user, password } = form.parse(request.body ?? {});
      if (!(await isFormOurs(cookies, access, request))) return show(reply, LOGIN_TEXTS[language].expired, user, 403);
      const identity = await access.checkToken(token.trim());
      if (identity?.role !== "admin") {
        const detail = "The first visit came without the token of the first start.";
        onRefused(request, { status: 403, code: "LOGIN_REFUSED", detail });
        return show(reply, TEXTS[language].firstVisit.noToken, user, 403);
      }
      try {
        const entry = { name: user, role: "admin", password, createdBy: identity.actor } as const;
        const enrolment = await addUser(config.api.accessFile, entry, new Date());
        const details = { change: "added", user, role: "admin", ip: request.ip };
        await record({ action: "access.user", outcome: "ok", actor: identity.actor, details });
        return sendPage(reply, firstUserPage({ language, now: new Date(), assetUrl, user, ...enrolment }), 201);
      } catch (error) {
        if (!(error instanceof TrivaultError) || !error.permanent) throw error;
        return show(reply, messageOf(error), user, 400);
      }
    },
  };
}
