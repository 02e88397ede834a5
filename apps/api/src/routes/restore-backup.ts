import { findTier } from "@trivault/backup";
import { startRestore } from "@trivault/queue";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { requireBackup } from "../find-backup.ts";
import { BACKUPS_PATH, linkOfJob } from "../links.ts";
import { requireAllowed } from "../restore-targets.ts";
import { restoreBody } from "../restore-schema.ts";
import { backupId, idempotencyHeaders, jobLink, problems } from "../schema-parts.ts";
import { startOnce, statusOf } from "../started.ts";

const answer = z
  .object({
    backupId: z.string(),
    database: z.string(),
    target: z.string(),
    joined: z.boolean().describe("The very same restore was asked for already, and has not ended."),
    job: jobLink,
  })
  .meta({ id: "StartedRestore" });

export function restoreBackupRoute(app: App, deps: ApiDeps): void {
  app.post(
    `${BACKUPS_PATH}/:id/restore`,
    {
      config: { access: "operator" },
      schema: {
        operationId: "restoreBackup",
        tags: ["restores"],
        summary: "Restore a backup into a new database",
        description:
          "A worker with the identity file does it, verifies every segment before pg_restore sees it, and compares the rows of every table. What exists and is not empty is never touched. Ask POST /api/v1/restores/check first.",
        params: z.strictObject({ id: backupId }),
        body: restoreBody,
        headers: idempotencyHeaders,
        response: { 200: answer, 202: answer, ...problems },
      },
    },
    async (request, reply) => {
      const { body, identity } = request;
      requireAllowed(deps.config, identity.role, body.to);
      if (body.from !== "any") findTier(deps.tiers, body.from);
      const { database, id } = await requireBackup(deps, request.params.id, request.signal);
      const answered = await startOnce(deps, request, body, async (seed) => {
        const job = { database, backupId: id, ...body, actor: identity.actor };
        const { jobId, joined } = await startRestore(deps.queues, deps.redis, job, seed);
        return { backupId: id, database, target: body.target, joined, job: linkOfJob("restore", jobId, null) };
      });
      const { links } = answered.answer.job;
      return reply.status(statusOf(answered)).header("location", links.self).send(answered.answer);
    },
  );
}
