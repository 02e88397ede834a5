import { findDatabase, TrivaultError } from "@trivault/core";
import {
  alertsPage,
  auditPage,
  backupPage,
  databasePage,
  overviewPage,
  reportsPage,
  tierPage,
  tiersPage,
} from "@trivault/dashboard";
import { listReports } from "@trivault/reports";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { sendPage } from "../page.ts";
import { auditPageOf, auditQuery } from "./audit-page.ts";
import { backupViewOf } from "./backup-view.ts";
import { alertsPageOf, firingAlerts } from "./alert-views.ts";
import { backupRef, named } from "./page-params.ts";
import { viewOf } from "./view-of.ts";

const VIEWER = { schema: { hide: true }, config: { access: "viewer" } } as const;
const overviewQuery = z.object({
  q: z.string().max(255).catch(""),
  problems: z.string().optional().catch(undefined),
});
const databaseQuery = z.object({ all: z.string().optional().catch(undefined) });

/** What one only looks at. */
export function pageRoutes(app: App, deps: ApiDeps): void {
  const { observer } = deps;

  app.get("/", VIEWER, async (request, reply) => {
    const { q, problems } = overviewQuery.parse(request.query);
    const overview = await observer.overview();
    const filter = { query: q, onlyProblems: problems !== undefined };
    const view = viewOf(deps, request);
    return sendPage(reply, overviewPage(view, { overview, alerts: firingAlerts(deps, view.language), filter }));
  });

  app.get("/databases/:name", VIEWER, async (request, reply) => {
    const { name } = named.parse(request.params);
    const [database, { health }] = await Promise.all([observer.database(name), observer.overview()]);
    if (database === null) throw notFound("database", name, findDatabase(deps.config, name) !== null);
    const { all } = databaseQuery.parse(request.query);
    return sendPage(
      reply,
      databasePage(viewOf(deps, request), { database, tiers: health.tiers, all: all !== undefined }),
    );
  });

  app.get("/backups/:id", VIEWER, async (request, reply) => {
    const { id } = backupRef.parse(request.params);
    return sendPage(reply, backupPage(viewOf(deps, request), await backupViewOf(deps, id)));
  });

  app.get("/tiers", VIEWER, async (request, reply) =>
    sendPage(reply, tiersPage(viewOf(deps, request), await observer.overview())),
  );

  app.get("/tiers/:name", VIEWER, async (request, reply) => {
    const { name } = named.parse(request.params);
    const tier = await observer.tier(name);
    if (tier === null) throw notFound("tier", name, false);
    return sendPage(reply, tierPage(viewOf(deps, request), tier));
  });

  app.get("/alerts", VIEWER, async (request, reply) => {
    const view = viewOf(deps, request);
    return sendPage(reply, alertsPage(view, alertsPageOf(deps, view.language)));
  });

  app.get("/audit", VIEWER, async (request, reply) =>
    sendPage(reply, auditPage(viewOf(deps, request), await auditPageOf(deps, auditQuery.parse(request.query)))),
  );

  app.get("/reports", VIEWER, async (request, reply) => {
    const rows = (await listReports(deps.config)).map(({ day, period, well, summary }) => ({
      day,
      from: period.from.toISOString(),
      to: period.to.toISOString(),
      well,
      summary,
      html: `/api/v1/reports/${day}?format=html`,
      json: `/api/v1/reports/${day}?format=json`,
    }));
    return sendPage(reply, reportsPage(viewOf(deps, request), rows));
  });
}

function notFound(kind: "database" | "tier", name: string, configured: boolean): TrivaultError {
  const seen = configured ? " It is configured, but was not looked at yet; in some seconds it will be." : "";
  return new TrivaultError("NOT_FOUND", `There is no ${kind} ${JSON.stringify(name)} here.${seen}`, {
    permanent: true,
  });
}
