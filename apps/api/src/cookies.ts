import { DAY_SECONDS } from "@trivault/core";
import { IDLE_MS, type Session, SESSION_MS } from "@trivault/access";
import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * `session`: who it is. `device`: that they were here before. `ticket`: that the password was right, for the second step.
 * `form`: which browser a login form was given to.
 */
const SECONDS = {
  session: SESSION_MS / 1000,
  device: 365 * DAY_SECONDS,
  ticket: 300,
  form: IDLE_MS / 1000,
} as const;
export type CookieName = keyof typeof SECONDS;

/** With https a browser takes `__Host-…` from nobody but this host, and sends it in no other way. */
export function isHttps(request: FastifyRequest, publicUrl: string | null): boolean {
  return request.protocol === "https" || (publicUrl?.startsWith("https:") ?? false);
}

export interface Cookies {
  read(request: FastifyRequest, name: CookieName): string | null;
  set(reply: FastifyReply, name: CookieName, value: string): void;
  clear(reply: FastifyReply, name: CookieName): void;
  /** Sets the session's cookie anew where it is time to. */
  refresh(reply: FastifyReply, session: Session): void;
}

export function createCookies(publicUrl: string | null): Cookies {
  const fullName = (request: FastifyRequest, name: CookieName) =>
    `${isHttps(request, publicUrl) ? "__Host-" : ""}trivault-${name}`;
  const options = (request: FastifyRequest) => ({
    path: "/",
    httpOnly: true,
    sameSite: "strict" as const,
    secure: isHttps(request, publicUrl),
  });
  const set: Cookies["set"] = (reply, name, value) => {
    const { request } = reply;
    reply.setCookie(fullName(request, name), value, { ...options(request), maxAge: SECONDS[name] });
  };
  return {
    // Read here, as the guard comes before the plugin's own hook.
    read: (request, name) => request.server.parseCookie(request.headers.cookie ?? "")[fullName(request, name)] ?? null,
    set,
    clear: (reply, name) => void reply.clearCookie(fullName(reply.request, name), options(reply.request)),
    refresh(reply, { refreshed }) {
      if (refreshed !== null) set(reply, "session", refreshed);
    },
  };
}
