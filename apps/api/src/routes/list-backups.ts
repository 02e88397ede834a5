import { listBackups } from "@trivault/backup";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS } from "../find-backup.ts";
import { BACKUPS_PATH, linksOf } from "../links.ts";
import { backupList, listBackupsQuery, problems } from "../schemas.ts";

export function listBackupsRoute(app: App, { tiers }: ApiDeps): void {
  app.get(
    BACKUPS_PATH,
    {
      schema: {
        summary: "The backups on all tiers, newest first",
        description: "Read from the tiers themselves, so it needs no Redis.",
        querystring: listBackupsQuery,
        response: { 200: backupList, ...problems },
      },
    },
    async (request) => {
      const { database, limit } = request.query;
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LISTING_MS)]);
      const { backups, unreachable } = await listBackups(tiers, database, signal);
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
