import { findTier } from "@trivault/backup";
import { startVerify } from "@trivault/queue";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { requireBackup } from "../find-backup.ts";
import { BACKUPS_PATH, linkOfJob } from "../links.ts";
import { backupId, idempotencyHeaders, jobLink, listOf, problems, tierName } from "../schema-parts.ts";
import { startOnce, statusOf } from "../started.ts";

const started = z
  .object({ backupId: z.string(), database: z.string(), jobs: listOf(jobLink) })
  .meta({ id: "StartedJobs" });

export function verifyBackupRoute(app: App, deps: ApiDeps): void {
  app.post(
    `${BACKUPS_PATH}/:id/verify`,
    {
      config: { access: "operator" },
      schema: {
        operationId: "verifyBackup",
        tags: ["backups"],
        summary: "Read every byte of a backup's copies where they are, and compare it with the signed manifest",
        description:
          "A job for each tier that holds something of it, or for the tiers that are named. A job's `result.state` is good, damaged, missing, or deleted where this site deleted the copy meanwhile; maintenance makes damaged copies good. What could not be read fails the job.",
        params: z.strictObject({ id: backupId }),
        body: z
          .strictObject({ tiers: z.array(tierName).min(1).max(100).optional() })
          .meta({ examples: [{}, { tiers: ["remote"] }] }),
        headers: idempotencyHeaders,
        response: { 200: started, 202: started, ...problems },
      },
    },
    async (request, reply) => {
      const { tiers } = request.body;
      for (const name of tiers ?? []) findTier(deps.tiers, name);
      const { database, id, copies } = await requireBackup(deps, request.params.id, request.signal);
      const { actor } = request.identity;
      const chosen = [...new Set(tiers ?? copies.map(({ tier }) => tier))];
      const answered = await startOnce(deps, request, request.body, async () => {
        const jobs = [];
        for (const tier of chosen) {
          const job = await startVerify(deps.queues, deps.redis, { database, backupId: id, tier, actor });
          jobs.push(linkOfJob("verify", job, tier));
        }
        return { backupId: id, database, jobs };
      });
      return reply.status(statusOf(answered)).send(answered.answer);
    },
  );
}
