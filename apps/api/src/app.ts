import { randomUUID } from "node:crypto";
import cookie from "@fastify/cookie";
import swagger from "@fastify/swagger";
import { shorten } from "@trivault/core";
import { fastify, type FastifyBaseLogger, LogController } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { createCookies } from "./cookies.ts";
import { dashboardRoutes } from "./dashboard/index.ts";
import { createShowProblem } from "./dashboard/show-problem.ts";
import type { ApiDeps, App } from "./deps.ts";
import { traceRequests } from "./trace-requests.ts";
import { type Guard, guardRequests } from "./guard.ts";
import { setSecurityHeaders } from "./headers.ts";
import { recordRefusals } from "./refusals.ts";
import { OPENAPI, registerDocs } from "./openapi.ts";
import { handleError, NO_SUCH_PATH } from "./problem.ts";
import { registerQueueBoard } from "./queue-board.ts";
import { createRateLimiter } from "./rate-limits.ts";
import { healthRoute } from "./routes/health.ts";
import { loginRoutes } from "./routes/login.ts";
import { memberRoutes } from "./routes/members.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { siteRoutes } from "./site-routes.ts";

const BODY_LIMIT = 16 * 1024;
/** To send a request in; Fastify's default is for ever, which is what a slow-loris wants. */
export const REQUEST_MS = 10_000;
/** Silence on a connection; longer than the slowest answer, a listing. */
export const CONNECTION_MS = 60_000;

/** The HTTP API over what it is given. Not listening yet; closing it leaves `deps` open. */
export function buildApp(deps: ApiDeps): App {
  const loggerInstance: FastifyBaseLogger = deps.log;
  const { trustedProxies, publicUrl } = deps.config.api;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }), // logRequests logs it in one line
    bodyLimit: BODY_LIMIT,
    // A database name of 255 bytes, each percent-encoded.
    routerOptions: { maxParamLength: 800 },
    requestTimeout: REQUEST_MS,
    connectionTimeout: CONNECTION_MS,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    // An id from the caller would let anybody write into our log.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    // A path that cannot be decoded, which no hook or error handler gets to see.
    frameworkErrors: (error, request, reply) => {
      void handleError(error, request, reply);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // JSON only: a web page may send text/plain to any site without being asked first (CORS "simple requests").
  app.removeContentTypeParser("text/plain");
  logRequests(app);
  setSecurityHeaders(app);
  traceRequests(app, deps.tracing);
  app.register(cookie);
  const showProblem = createShowProblem(deps);
  const guard: Guard = {
    cookies: createCookies(publicUrl),
    limit: createRateLimiter(app, showProblem, deps.requestsPerMinute),
    showProblem,
    onRefused: recordRefusals(app, deps.record),
  };
  guardRequests(app, deps, guard);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) => showProblem(request, reply, NO_SUCH_PATH));
  app.register(swagger, OPENAPI);
  // Routes come in a plugin, so that swagger is there before them and sees each.
  app.register(async (plugin) => {
    const api = plugin.withTypeProvider<ZodTypeProvider>();
    healthRoute(api, deps);
    siteRoutes(api, deps);
    memberRoutes(api, deps);
    await loginRoutes(api, deps, guard);
    openApiRoute(api);
    await registerDocs(api);
    metricsRoute(api, deps);
    await dashboardRoutes(api, deps, showProblem);
    await registerQueueBoard(api, deps.queues, deps.config);
  });
  return app;
}

/** Characters: enough for any path of ours. A stranger chooses how long a path is. */
const LOGGED_URL = 500;

/** One line for each request that changes something or fails; what only looks (Bull Board, every few seconds) is debug. */
function logRequests(app: App): void {
  app.addHook("onResponse", async (request, reply) => {
    const notable = reply.statusCode >= 400 || !["GET", "HEAD"].includes(request.method);
    const { method, ip } = request;
    const url = shorten(request.url, LOGGED_URL);
    const ms = Math.round(reply.elapsedTime);
    request.log[notable ? "info" : "debug"]({ method, url, ip, status: reply.statusCode, ms }, "request");
  });
}
