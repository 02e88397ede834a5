import compress from "@fastify/compress";
import { problemPage } from "@trivault/dashboard";
import type { ApiDeps, App } from "../deps.ts";
import { sendPage } from "../page.ts";
import { problemOf } from "../problem.ts";
import { assetUrl, serveAssets } from "./assets.ts";
import { pageRoutes } from "./pages.ts";
import { viewsWith } from "./view-of.ts";

/** The dashboard: pages, what they load, and the forms that they send. */
export async function dashboardRoutes(app: App, deps: ApiDeps): Promise<void> {
  await app.register(async (plugin) => {
    await plugin.register(compress, { globalDecompression: false, encodings: ["br", "gzip"] });
    serveAssets(plugin);
    const viewOf = viewsWith(assetUrl);
    plugin.setErrorHandler((error, request, reply) => {
      const problem = problemOf(error);
      if (problem.status >= 500) request.log.error({ err: error }, "a page could not be made");
      return sendPage(reply, problemPage(viewOf(request), { ...problem, requestId: request.id }), problem.status);
    });
    pageRoutes(plugin, deps, viewOf);
  });
}
