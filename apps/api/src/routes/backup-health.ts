import { healthReport } from "@trivault/maintenance/health/report-schema";
import type { ApiDeps, App } from "../deps.ts";
import { problems } from "../schema-parts.ts";

export function backupHealthRoute(app: App, { observer }: ApiDeps): void {
  app.get(
    "/api/v1/health",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showHealth",
        tags: ["site"],
        summary: "Whether every database is safe on all its tiers",
        description:
          "Always 200, with `ok` inside; a few seconds old. From what maintenance found in its last two rounds (BACKUP_MAINTENANCE_EVERY); where that is older, the tiers are asked. Needs no Redis. /healthz says whether this service lives.",
        response: { 200: healthReport, ...problems },
      },
    },
    async () => (await observer.overview()).health,
  );
}
