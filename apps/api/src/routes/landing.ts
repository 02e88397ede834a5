import type { App } from "../deps.ts";
import { BOARD_PATH } from "../links.ts";

/** Somebody typed the address into a browser: Bull Board is what there is to look at. */
export function landingRoute(app: App): void {
  app.get("/", { config: { access: "viewer" }, schema: { hide: true } }, async (_request, reply) =>
    reply.redirect(BOARD_PATH),
  );
}
