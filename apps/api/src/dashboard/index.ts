import compress from "@fastify/compress";
import type { ApiDeps, App } from "../deps.ts";
import { problemOf } from "../problem.ts";
import { actionRoutes } from "./actions.ts";
import { serveAssets } from "./assets.ts";
import { ApiProblem } from "./call-api.ts";
import { pageRoutes } from "./pages.ts";
import type { ShowProblem } from "./show-problem.ts";

/** The dashboard: pages, what they load, and the forms that they send. */
export async function dashboardRoutes(app: App, deps: ApiDeps, showProblem: ShowProblem): Promise<void> {
  await app.register(async (plugin) => {
    await plugin.register(compress, { globalDecompression: false, encodings: ["br", "gzip"] });
    plugin.setErrorHandler((error, request, reply) => {
      const problem = error instanceof ApiProblem ? error.problem : problemOf(error);
      if (problem.status >= 500) request.log.error({ err: error }, "a page could not be made");
      return showProblem(request, reply, problem);
    });
    serveAssets(plugin);
    pageRoutes(plugin, deps);
    await actionRoutes(plugin, deps);
  });
}
