import { createSiteMetrics, METRICS_TYPE } from "@trivault/metrics";
import { queueStates } from "@trivault/queue";
import type { ApiDeps, App } from "../deps.ts";

/** For Prometheus, with a viewer's token: the site as it was last looked at, and this process. */
export function metricsRoute(app: App, deps: ApiDeps): void {
  const { config, observer, audit, queues, alerts, processMetrics, log } = deps;
  const now = () => new Date();
  const site = createSiteMetrics({
    config,
    observer,
    audit,
    queues: () => queueStates(queues, now()),
    alerts: () => alerts.current("en"),
    now,
    log,
  });
  app.get("/metrics", { config: { access: "viewer" }, schema: { hide: true } }, async (_request, reply) => {
    const text = await Promise.all([site(), processMetrics.text()]);
    return reply.type(METRICS_TYPE).send(text.join("\n"));
  });
}
