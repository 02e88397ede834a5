import type { FastifyRequest } from "fastify";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export function changesSomething({ method }: FastifyRequest): boolean {
  return !SAFE_METHODS.has(method);
}

/**
 * A browser sends the credentials it knows (or, on loopback, needs none) for any page's request. What shows its origin is
 * checked as Go's net/http CrossOriginProtection does; programs that are no browsers send neither header.
 */
export function isCrossSite(request: FastifyRequest, publicUrl: string | null): boolean {
  if (!changesSomething(request)) return false;
  const { headers } = request;
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin } = headers;
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  if (publicUrl !== null && new URL(publicUrl).origin === new URL(origin).origin) return false;
  // `request.host` is what a trusted proxy says that it was asked for.
  return ![headers.host, request.host].includes(new URL(origin).host);
}

/** A path of ours to go on to: nothing that leads elsewhere, and not round in a circle. */
export function localPath(text: string): string {
  const BASE = "http://local.invalid";
  if (!/^\/[^/\\]?/.test(text) || /[\\\p{C}]/u.test(text) || !URL.canParse(text, BASE)) return "/";
  const { origin, pathname, search } = new URL(text, BASE);
  const ours = origin === BASE && !pathname.startsWith("//") && !/^\/log(?:in|out)(?:\/|$)/.test(pathname);
  return ours ? `${pathname}${search}` : "/";
}
