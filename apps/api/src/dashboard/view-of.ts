import { mayAct } from "@trivault/access";
import { chooseLocale, createView, noticeText, type View } from "@trivault/dashboard";
import type { FastifyRequest } from "fastify";
import { csrfToken } from "../csrf.ts";
import type { ApiDeps } from "../deps.ts";
import { assetUrl } from "./assets.ts";

/** What a page needs to know of whoever asked for it. */
export function viewOf({ alerts, redis }: Pick<ApiDeps, "alerts" | "redis">, request: FastifyRequest): View {
  const { actor, role, via } = request.identity;
  const locale = chooseLocale(request.headers["accept-language"]);
  const now = new Date();
  const notice = noticeText(locale, doneIn(request));
  return createView({
    locale,
    now,
    assetUrl,
    viewer: {
      name: actor.replace(/^(?:user|token):/, ""),
      mayOperate: mayAct(role, "operator"),
      mayAdminister: mayAct(role, "admin"),
      csrf: csrfToken(request),
      canSignOut: via === "session",
    },
    firing: alerts.current().filter(({ silence }) => silence === null).length,
    queueAway: redis.status !== "ready",
    notice: notice === null ? null : { tone: "ok", text: notice },
  });
}

/** How an action ended is told on the page that comes after it: by a name in the address, never by a text in it. */
function doneIn({ query }: FastifyRequest): string {
  const done = typeof query === "object" && query !== null && "done" in query ? query.done : "";
  return typeof done === "string" ? done : "";
}
