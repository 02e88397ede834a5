import { type Identity, mayAct } from "@trivault/access";
import { chooseLanguage, createView, noticeText, type View, type Viewer } from "@trivault/dashboard";
import type { FastifyRequest } from "fastify";
import { csrfToken } from "../csrf.ts";
import type { ApiDeps } from "../deps.ts";
import { assetUrl } from "./assets.ts";

/** What a page needs to know of whoever asked for it. */
export function viewOf({ alerts, redis }: Pick<ApiDeps, "alerts" | "redis">, request: FastifyRequest): View {
  const language = chooseLanguage(request.headers["accept-language"]);
  const now = new Date();
  const viewer = viewerOf(request);
  const notice = noticeText(language, doneIn(request));
  return createView({
    language,
    now,
    assetUrl,
    viewer,
    // Who is not logged in learns nothing about the site.
    firing: viewer && alerts.current(language).filter(({ silence }) => silence === null).length,
    queueAway: viewer !== null && redis.status !== "ready",
    notice: notice === null ? null : { tone: "ok", text: notice },
  });
}

function viewerOf(request: FastifyRequest): Viewer | null {
  // A request that was refused has none.
  const identity: Identity | null = request.identity;
  if (identity === null) return null;
  return {
    name: identity.actor.replace(/^(?:user|token):/, ""),
    mayOperate: mayAct(identity.role, "operator"),
    mayAdminister: mayAct(identity.role, "admin"),
    csrf: csrfToken(request),
    canSignOut: identity.via === "session",
  };
}

/** The outcome of an action is shown on the page that comes after it: by a name in the address, never by a text in it. */
function doneIn({ query }: FastifyRequest): string {
  const done = typeof query === "object" && query !== null && "done" in query ? query.done : "";
  return typeof done === "string" ? done : "";
}
