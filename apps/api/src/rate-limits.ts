import rateLimit, { normalizeIP } from "@fastify/rate-limit";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ShowProblem } from "./dashboard/show-problem.ts";
import type { App } from "./deps.ts";

const WINDOW_MS = 60_000;
/** A hundred a second: scripts and open dashboards stay far below, and what runs wild is held. */
export const REQUESTS_PER_MINUTE = 6000;
/** For callers who are not let in, by address; as any answer to them costs next to nothing, this is about floods. */
const REFUSALS_PER_MINUTE = 600;
/** By address, for a whole office behind one; the lock-out after failures is stricter. */
export const LOGINS_PER_MINUTE = 30;

export type RateLimit = "known" | "unknown" | "login";

/** True where it was too much, and has been answered. */
export type RateLimiter = (which: RateLimit, request: FastifyRequest, reply: FastifyReply) => Promise<boolean>;

/** Counted in this process: what it is for is to keep one process well. */
export function createRateLimiter(
  app: App,
  showProblem: ShowProblem,
  requestsPerMinute = REQUESTS_PER_MINUTE,
): RateLimiter {
  app.register(rateLimit, { global: false, timeWindow: WINDOW_MS });
  const address = (request: FastifyRequest) => normalizeIP(request.ip);
  const limits = {
    known: { max: requestsPerMinute, keyGenerator: (request: FastifyRequest) => request.identity.actor },
    unknown: { max: Math.min(REFUSALS_PER_MINUTE, requestsPerMinute), keyGenerator: address },
    login: { max: LOGINS_PER_MINUTE, keyGenerator: address },
  };
  const made = new Map<RateLimit, ReturnType<App["createRateLimit"]>>();
  return async (which, request, reply) => {
    const check = made.get(which) ?? app.createRateLimit(limits[which]);
    made.set(which, check);
    const verdict = await check(request);
    if (verdict.isAllowed || !verdict.isExceeded) return false;
    showProblem(request, reply.header("retry-after", verdict.ttlInSeconds), {
      status: 429,
      code: "TOO_MANY_REQUESTS",
      detail: `Too many requests within a minute. Go on in ${verdict.ttlInSeconds} s.`,
    });
    return true;
  };
}
