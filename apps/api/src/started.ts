import { type Answered, failingFast, once } from "@trivault/queue";
import type { FastifyRequest } from "fastify";
import type { ApiDeps } from "./deps.ts";

/**
 * Starts something once for each Idempotency-Key of a caller. `content`: whatever of the request is not in its path.
 * `seed` is for ids that are to be the same where it has to be begun again. Throws QUEUE_UNREACHABLE soon, where Redis is away;
 * work that is `long` may take its time, and needs Redis only where there is a key.
 */
export function startOnce<T>(
  { redis }: ApiDeps,
  request: FastifyRequest,
  content: unknown,
  work: (seed: string) => Promise<T>,
  { long = false }: { readonly long?: boolean } = {},
): Promise<Answered<T>> {
  const { headers, identity, method, url } = request;
  const key = keyOf(headers);
  const scope = `${method} ${identity.actor}`;
  return failingFast(() => once(redis, { scope, key, content: [url, content] }, work), ...(long ? [null] : []));
}

/** 202 for what was begun now, 200 for what was begun before. */
export function statusOf({ first }: Answered<unknown>): 200 | 202 {
  return first ? 202 : 200;
}

export function keyOf(headers: FastifyRequest["headers"]): string | undefined {
  const header = headers["idempotency-key"];
  return typeof header === "string" ? header : undefined;
}
