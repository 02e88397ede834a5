import type { FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the guard, beside `identity`. */
    csrf: string;
  }
}

/** In a form, the field that carries it; a script sends it as the header `x-csrf-token` instead. */
export const CSRF_FIELD = "_csrf";
export const CSRF_HEADER = "x-csrf-token";

/** What a page embeds, so that what it sends differs from what a foreign page makes a browser send. */
export function csrfToken(request: FastifyRequest): string {
  return request.csrf;
}
