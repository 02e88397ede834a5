import type { App } from "./deps.ts";

/** For answers that no browser has to render or run. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'";
/** Bull Board loads its own scripts; its page has inline styles, and asks Google for fonts, which it does not get. */
export const BOARD_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** What helmet would set, for the few kinds of answers there are. */
export function setSecurityHeaders(app: App): void {
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers({
      "content-security-policy": NOTHING,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-store",
    });
  });
}
