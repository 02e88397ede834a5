import { mayAct } from "@trivault/access";
import { type AssetName, chooseLocale, createView, type Notice, type View } from "@trivault/dashboard";
import type { FastifyRequest } from "fastify";
import { csrfToken } from "../csrf.ts";

export type ViewOf = (request: FastifyRequest, more?: { firing?: number | null; notice?: Notice | null }) => View;

/** What a page needs to know of whoever asked for it. */
export function viewsWith(assetUrl: (name: AssetName) => string): ViewOf {
  return (request, { firing = null, notice = null } = {}) => {
    const { actor, role, via } = request.identity;
    return createView({
      locale: chooseLocale(request.headers["accept-language"]),
      now: new Date(),
      assetUrl,
      viewer: {
        name: actor.replace(/^(?:user|token):/, ""),
        mayOperate: mayAct(role, "operator"),
        mayAdminister: mayAct(role, "admin"),
        csrf: csrfToken(request),
        canSignOut: via === "session",
      },
      firing,
      notice,
    });
  };
}
