import type { FastifyReply, FastifyRequest } from "fastify";

/** Pages run our own scripts and styles only: nothing inline, nothing from a foreign host. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Answers with a page, under the headers that pages have. */
export function sendPage(reply: FastifyReply, html: string, status = 200): FastifyReply {
  return reply
    .status(status)
    .headers({
      "content-security-policy": PAGE_POLICY,
      // With no-referrer a browser would send `Origin: null` with every form.
      "referrer-policy": "same-origin",
    })
    .type("text/html; charset=utf-8")
    .send(html);
}

/** Whether a person in a browser reads the answer, rather than a program or a script. */
export function readsPages({ url, headers }: FastifyRequest): boolean {
  return !/^\/api(?:\/|$)/.test(url) && (headers.accept ?? "").includes("text/html");
}
