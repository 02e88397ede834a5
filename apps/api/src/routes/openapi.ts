import type { App } from "../deps.ts";

export function openApiRoute(app: App): void {
  app.get("/api/v1/openapi.json", { config: { access: "viewer" }, schema: { hide: true } }, async () => app.swagger());
}
