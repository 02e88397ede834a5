import { type Locale, type Notice, noticeText } from "@trivault/dashboard";
import type { FastifyRequest } from "fastify";

/** How an action ended, told on the page that comes after it: a name in the address, never a text of somebody else's. */
export function readNotice({ query }: FastifyRequest, locale: Locale): Notice | null {
  const done = typeof query === "object" && query !== null && "done" in query ? query.done : undefined;
  const text = typeof done === "string" ? noticeText(locale, done) : null;
  return text === null ? null : { tone: "ok", text };
}
