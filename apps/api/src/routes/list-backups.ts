import type { BackupSummary } from "@trivault/backup";
import { listSite, loadMarks, type Marks } from "@trivault/maintenance";
import type { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS } from "../find-backup.ts";
import { BACKUPS_PATH, linksOf } from "../links.ts";
import { backupList, listBackupsQuery, problems } from "../schemas.ts";

export function listBackupsRoute(app: App, { config, tiers }: ApiDeps): void {
  app.get(
    BACKUPS_PATH,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listBackups",
        tags: ["backups"],
        summary: "The backups on all tiers, newest first",
        description:
          "The local tier as it is now, the others as maintenance found them in its last two rounds, with what was done since; where that is older, or with fresh=true, they are asked themselves. Needs no Redis.",
        querystring: listBackupsQuery,
        response: { 200: backupList, ...problems },
      },
    },
    async (request) => {
      const { database, limit, fresh, cursor } = request.query;
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LISTING_MS)]);
      const { backups, unreachable } = await listSite(
        { config, tiers, now: () => new Date() },
        { signal, database, fresh },
      );
      const marks = await loadMarks(config);
      const wanted = backups.filter((backup) => matches(backup, request.query, marks));
      // Ids sort by time, so a page begins behind the last one of the page before, whatever came since.
      const rest = cursor === undefined ? wanted : wanted.filter(({ id }) => id < cursor);
      const page = rest.slice(0, limit);
      return {
        backups: page.map((backup) => answerOf(backup, marks)),
        total: wanted.length,
        unreachable,
        ...(rest.length > page.length ? { nextCursor: page.at(-1)?.id } : {}),
      };
    },
  );
}

type Query = z.output<typeof listBackupsQuery>;

function matches(backup: BackupSummary, { from, to, tier, state, kept }: Query, marks: Marks): boolean {
  const { id, startedAt, copies } = backup;
  const there = tier === undefined ? copies : copies.filter((copy) => copy.tier === tier);
  return (
    (from === undefined || startedAt >= new Date(from)) &&
    (to === undefined || startedAt <= new Date(to)) &&
    (tier === undefined || there.length > 0) &&
    (state === undefined || there.some((copy) => copy.state === state)) &&
    (kept === undefined || marks.keep.has(id) === kept)
  );
}

function answerOf({ id, database, startedAt, bytes, copies }: BackupSummary, marks: Marks) {
  const mark = marks.keep.get(id);
  return {
    id,
    database,
    startedAt: startedAt.toISOString(),
    bytes,
    copies,
    ...(mark?.database === database ? { keep: mark.reason } : {}),
    links: linksOf(id),
  };
}
