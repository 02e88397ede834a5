import compress from "@fastify/compress";
import { problemPage } from "@trivault/dashboard";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiDeps, App } from "../deps.ts";
import { sendPage } from "../page.ts";
import { problemOf } from "../problem.ts";
import { actionRoutes } from "./actions.ts";
import { serveAssets } from "./assets.ts";
import { ApiProblem } from "./call-api.ts";
import { pageRoutes } from "./pages.ts";
import { viewOf } from "./view-of.ts";

/** The dashboard: pages, what they load, and the forms that they send. */
export async function dashboardRoutes(app: App, deps: ApiDeps): Promise<void> {
  await app.register(async (plugin) => {
    await plugin.register(compress, { globalDecompression: false, encodings: ["br", "gzip"] });
    plugin.setErrorHandler((error, request, reply) => showProblem(deps, error, request, reply));
    serveAssets(plugin);
    pageRoutes(plugin, deps);
    await actionRoutes(plugin, deps);
  });
}

async function showProblem(
  deps: ApiDeps,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const problem = error instanceof ApiProblem ? error.problem : problemOf(error);
  if (problem.status >= 500) request.log.error({ err: error }, "a page could not be made");
  const page = problemPage(viewOf(deps, request), { ...problem, requestId: request.id });
  return sendPage(reply, page, problem.status);
}
