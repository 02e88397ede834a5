import { createHash, timingSafeEqual } from "node:crypto";
import type { Access, Identity, Session } from "@trivault/access";
import { type ApiConfig, isLoopback } from "@trivault/core";
import type { FastifyRequest } from "fastify";
import type { Cookies } from "./cookies.ts";
import { cameByProxy, namesThisMachine } from "./loopback.ts";

/** Who sends a request, and how that is known. */
export interface Caller {
  readonly identity: Identity;
  readonly session: Session | null;
  /** What a browser sends by itself, a foreign page can make it send. */
  readonly byBrowser: boolean;
}

/** `foreign-host`: where nobody is asked who they are, this request is none of this machine. */
export type Found = Caller | "unknown" | "foreign-host";

export function createCallerFinder(
  { token, open, host, trustedProxies }: Pick<ApiConfig, "token" | "open" | "host" | "trustedProxies">,
  access: Access,
  cookies: Cookies,
): (request: FastifyRequest) => Promise<Found> {
  const mayBeOpen = open && token === null && isLoopback(host) && trustedProxies.length === 0;
  const expected = token === null ? null : digest(token);

  async function byToken(text: string | null): Promise<Identity | null> {
    if (text === null) return null;
    // Digests have one length, which `timingSafeEqual` needs, and reveal nothing about how much of a guess was right.
    if (expected !== null && timingSafeEqual(digest(text), expected)) {
      return { actor: "token:default", role: "admin", via: "token" };
    }
    return access.checkToken(text);
  }

  return async (request) => {
    const { scheme, token: presented } = presentedToken(request.headers.authorization);
    if (scheme === "bearer") {
      const identity = await byToken(presented);
      if (identity !== null) return { identity, session: null, byBrowser: false };
    } else {
      const cookie = cookies.read(request, "session");
      const session = cookie === null ? null : await access.session(cookie);
      if (session !== null) return { identity: session.identity, session, byBrowser: true };
      const identity = await byToken(presented);
      if (identity !== null) return { identity, session: null, byBrowser: true };
    }
    if (!mayBeOpen || (await access.members()) !== "empty") return "unknown";
    if (cameByProxy(request) || !namesThisMachine(request)) return "foreign-host";
    return {
      identity: { actor: "token:loopback", role: "admin", via: "loopback" },
      session: null,
      byBrowser: true,
    };
  };
}

function presentedToken(header = ""): { scheme: string; token: string | null } {
  const [, scheme = "", credentials = ""] = /^(\S+) +(.+)$/.exec(header) ?? [];
  const name = scheme.toLowerCase();
  if (name === "bearer") return { scheme: name, token: credentials };
  if (name !== "basic") return { scheme: name, token: null };
  const [, password = null] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, "base64").toString("utf8")) ?? [];
  return { scheme: name, token: password };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
