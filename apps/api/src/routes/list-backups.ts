import { listSite } from "@trivault/maintenance";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS } from "../find-backup.ts";
import { BACKUPS_PATH, linksOf } from "../links.ts";
import { backupList, listBackupsQuery, problems } from "../schemas.ts";

export function listBackupsRoute(app: App, { config, tiers }: ApiDeps): void {
  app.get(
    BACKUPS_PATH,
    {
      schema: {
        summary: "The backups on all tiers, newest first",
        description:
          "The local tier as it is now, the others as maintenance found them in the last half hour, with what was done since; where that is older, or with fresh=true, they are asked themselves. Needs no Redis.",
        querystring: listBackupsQuery,
        response: { 200: backupList, ...problems },
      },
    },
    async (request) => {
      const { database, limit, fresh } = request.query;
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LISTING_MS)]);
      const { backups, unreachable } = await listSite(
        { config, tiers, now: () => new Date() },
        { signal, database, fresh },
      );
      return {
        backups: backups.slice(0, limit).map(({ id, database: name, startedAt, bytes, copies }) => ({
          id,
          database: name,
          startedAt: startedAt.toISOString(),
          bytes,
          copies: [...copies],
          links: linksOf(id),
        })),
        total: backups.length,
        unreachable: [...unreachable],
      };
    },
  );
}
