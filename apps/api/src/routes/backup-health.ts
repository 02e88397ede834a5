import { auditFolder, openAuditLog } from "@trivault/audit";
import { backupHealth, type HealthReport, knownDatabases } from "@trivault/maintenance";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS } from "../find-backup.ts";
import { backupHealthAnswer } from "../health-schema.ts";
import { problems } from "../schemas.ts";

const CACHED_MS = 15_000;

/** Computed once for all who ask within some seconds, one computation at a time. */
export function backupHealthRoute(app: App, deps: ApiDeps): void {
  let last: { readonly begunAt: number; readonly report: Promise<HealthReport> } | null = null;
  app.get(
    "/api/v1/health",
    {
      schema: {
        summary: "Whether every database is safe on all its tiers",
        description:
          "Always 200, with `ok` inside; up to 15 seconds old. From what maintenance found in the last half hour; where that is older, the tiers are asked. Needs no Redis. Whether this service lives is told by /healthz.",
        response: { 200: backupHealthAnswer, ...problems },
      },
    },
    async () => {
      const now = performance.now();
      if (last === null || now - last.begunAt > CACHED_MS) {
        const report = compute(deps);
        const mine = { begunAt: now, report };
        last = mine;
        report.catch(() => {
          if (last === mine) last = null;
        });
      }
      return last.report.then(asAnswer);
    },
  );
}

async function compute({ config, tiers, log }: ApiDeps): Promise<HealthReport> {
  const { databases, problems: silent } = await knownDatabases(config);
  for (const { server, reason } of silent) log.warn({ server, reason }, "a server could not be asked for databases");
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const signal = AbortSignal.timeout(LISTING_MS);
  return backupHealth({ config, tiers, now: () => new Date(), databases, audit, signal });
}

/** The schema's types are of mutable arrays. */
function asAnswer(report: HealthReport) {
  return {
    ...report,
    databases: report.databases.map((database) => ({ ...database, tiers: [...database.tiers] })),
    tiers: [...report.tiers],
  };
}
