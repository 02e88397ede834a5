import { findDatabase, TrivaultError } from "@trivault/core";
import {
  auditPage,
  backupPage,
  chooseLocale,
  databasePage,
  overviewPage,
  reportsPage,
  tierPage,
  tiersPage,
} from "@trivault/dashboard";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { sendPage } from "../page.ts";
import { auditPageOf, auditQuery } from "./audit-page.ts";
import { backupViewOf } from "./backup-view.ts";
import { readNotice } from "./notice.ts";
import type { ViewOf } from "./view-of.ts";

const VIEWER = { schema: { hide: true }, config: { access: "viewer" } } as const;
const named = z.object({ name: z.string().min(1).max(255) });
const backup = z.object({ id: z.string().min(1).max(255) });
const overviewQuery = z.object({
  q: z.string().max(255).catch(""),
  problems: z.string().optional().catch(undefined),
});
const databaseQuery = z.object({ all: z.string().optional().catch(undefined) });

/** What one only looks at. */
export function pageRoutes(app: App, deps: ApiDeps, viewOf: ViewOf): void {
  const { observer } = deps;
  const view: ViewOf = (request, more = {}) =>
    viewOf(request, { notice: readNotice(request, chooseLocale(request.headers["accept-language"])), ...more });

  app.get("/", VIEWER, async (request, reply) => {
    const { q, problems } = overviewQuery.parse(request.query);
    const overview = await observer.overview();
    const filter = { query: q, onlyProblems: problems !== undefined };
    return sendPage(reply, overviewPage(view(request), { overview, alerts: null, filter }));
  });

  app.get("/databases/:name", VIEWER, async (request, reply) => {
    const { name } = named.parse(request.params);
    const [database, { health }] = await Promise.all([observer.database(name), observer.overview()]);
    if (database === null) throw notFound("database", name, findDatabase(deps.config, name) !== null);
    const { all } = databaseQuery.parse(request.query);
    return sendPage(reply, databasePage(view(request), { database, tiers: health.tiers, all: all !== undefined }));
  });

  app.get("/backups/:id", VIEWER, async (request, reply) => {
    const { id } = backup.parse(request.params);
    return sendPage(reply, backupPage(view(request), await backupViewOf(deps, id)));
  });

  app.get("/tiers", VIEWER, async (request, reply) =>
    sendPage(reply, tiersPage(view(request), await observer.overview())),
  );

  app.get("/tiers/:name", VIEWER, async (request, reply) => {
    const { name } = named.parse(request.params);
    const tier = await observer.tier(name);
    if (tier === null) throw notFound("tier", name, false);
    return sendPage(reply, tierPage(view(request), tier));
  });

  app.get("/audit", VIEWER, async (request, reply) =>
    sendPage(reply, auditPage(view(request), await auditPageOf(deps, auditQuery.parse(request.query)))),
  );

  app.get("/reports", VIEWER, async (request, reply) => sendPage(reply, reportsPage(view(request), [], false)));
}

function notFound(kind: "database" | "tier", name: string, configured: boolean): TrivaultError {
  const seen = configured ? " It is configured, but was not looked at yet; in some seconds it will be." : "";
  return new TrivaultError("NOT_FOUND", `There is no ${kind} ${JSON.stringify(name)} here.${seen}`, {
    permanent: true,
  });
}
