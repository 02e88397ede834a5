import type { Tracing } from "@trivault/queue";
import type { App } from "./deps.ts";

/** What a request starts (a backup, its copies) is traced from here on; requests that only look are not. */
export function traceRequests(app: App, tracing: Tracing | null): void {
  if (tracing === null) return;
  const ends = new WeakMap<object, ReturnType<Tracing["enter"]>>();
  // The last hook before the handler: reading the body would lose the span that is active.
  app.addHook("preHandler", (request, _reply, done) => {
    const { method, headers, routeOptions } = request;
    if (method === "GET" || method === "HEAD") return done();
    const enter = () => tracing.enter(`${method} ${routeOptions.url ?? "unknown"}`, headers, done);
    return void ends.set(request, enter());
  });
  app.addHook("onResponse", async (request, reply) => {
    ends.get(request)?.({ "http.request.method": request.method, "http.response.status_code": reply.statusCode });
  });
}
