import { TrivaultError } from "@trivault/core";
import { holdBackup, loadMarks, releaseBackup } from "@trivault/maintenance";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { requireBackup } from "../find-backup.ts";
import { BACKUPS_PATH } from "../links.ts";
import { backupId, listOf, problems, time } from "../schema-parts.ts";

const reason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .meta({ examples: ["lawsuit 4711"] });
const keepMark = z
  .object({ backupId: z.string(), database: z.string(), reason: z.string(), actor: z.string(), at: time })
  .meta({ id: "KeepMark" });
const keepList = z
  .object({
    held: listOf(keepMark),
    acceptedSizes: listOf(z.object({ database: z.string(), from: z.string() })),
    problems: listOf(z.string()).describe("Marks that cannot be read. While there is one, nothing is deleted."),
  })
  .meta({ id: "KeepList" });
const params = z.strictObject({ id: backupId });

export function keepsRoute(app: App, deps: ApiDeps): void {
  const site = { config: deps.config, record: deps.record, now: () => new Date() };
  app.get(
    "/api/v1/keeps",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "listKeeps",
        tags: ["backups"],
        summary: "What is held by hand, and which sizes were accepted",
        response: { 200: keepList, ...problems },
      },
    },
    async () => {
      const { keep, acceptedFrom, problems: unread } = await loadMarks(deps.config);
      const held = [...keep].map(([id, { at, ...mark }]) => ({ backupId: id, ...mark, at: at.toISOString() }));
      return {
        held: held.toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1)),
        acceptedSizes: [...acceptedFrom].map(([database, from]) => ({ database, from })),
        problems: unread,
      };
    },
  );
  app.put(
    `${BACKUPS_PATH}/:id/keep`,
    {
      config: { access: "operator" },
      schema: {
        operationId: "keepBackup",
        tags: ["backups"],
        summary: "Hold a backup on all tiers, whatever the rules say",
        description: "Held again, it has the new reason.",
        params,
        body: z.strictObject({ reason }),
        response: { 200: keepMark, ...problems },
      },
    },
    async (request) => {
      const { database, id } = await requireBackup(deps, request.params.id, request.signal);
      const who = { reason: request.body.reason, actor: request.identity.actor };
      const { at, ...mark } = await holdBackup(site, { database, backupId: id }, who);
      return { backupId: id, ...mark, at: at.toISOString() };
    },
  );
  app.delete(
    `${BACKUPS_PATH}/:id/keep`,
    {
      config: { access: "operator" },
      schema: {
        operationId: "releaseBackup",
        tags: ["backups"],
        summary: "Release a backup: the rules apply to it again",
        params,
        querystring: z.strictObject({ reason: reason.optional() }),
        response: { 200: keepMark.describe("The mark that it had."), ...problems },
      },
    },
    async (request) => {
      const { id } = request.params;
      // A backup that is gone may be released all the same, so it is the mark that is asked for its database.
      const database = (await loadMarks(deps.config)).keep.get(id)?.database;
      if (database === undefined) {
        const message = `The backup ${id} is not held, so there is nothing to release; GET /api/v1/keeps lists those that are.`;
        throw new TrivaultError("NOT_FOUND", message, { permanent: true });
      }
      const who = { actor: request.identity.actor, why: request.query.reason };
      const { at, ...mark } = await releaseBackup(site, { database, backupId: id }, who);
      return { backupId: id, ...mark, at: at.toISOString() };
    },
  );
}
