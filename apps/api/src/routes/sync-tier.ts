import { findTier } from "@trivault/backup";
import { lacksOf, lookAtSite } from "@trivault/maintenance";
import { copyQueueOf, startCopy } from "@trivault/queue";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { LISTING_MS } from "../find-backup.ts";
import { linkOfJob } from "../links.ts";
import {
  bytes,
  count,
  databaseName,
  idempotencyHeaders,
  jobLink,
  listOf,
  problems,
  tierName,
} from "../schema-parts.ts";
import { siteOf } from "../site-of.ts";
import { startOnce, statusOf } from "../started.ts";

const backup = z.object({ database: z.string(), backupId: z.string() });
const answer = z
  .object({
    tier: z.string(),
    complete: count.nullable().describe("Backups that it holds whole; null: it could not be looked at."),
    copies: listOf(z.object({ ...backup.shape, from: z.string(), bytes, job: jobLink })),
    sourceless: listOf(backup).describe("Wanted there, and whole nowhere."),
    unreachable: listOf(z.object({ tier: z.string(), reason: z.string() })),
  })
  .meta({ id: "StartedSync" });

export function syncTierRoute(app: App, deps: ApiDeps): void {
  app.post(
    "/api/v1/tiers/:name/sync",
    {
      config: { access: "operator" },
      schema: {
        operationId: "syncTier",
        tags: ["tiers"],
        summary: "Bring every backup that is missing on a tier, from whichever tier has it",
        description: "Maintenance does the same by itself in each of its rounds (BACKUP_MAINTENANCE_EVERY).",
        params: z.strictObject({ name: tierName }),
        body: z.strictObject({ database: databaseName.optional() }).meta({ examples: [{}] }),
        headers: idempotencyHeaders,
        response: { 200: answer, 202: answer, ...problems },
      },
    },
    async (request, reply) => {
      const { name } = findTier(deps.tiers, request.params.name);
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(LISTING_MS)]);
      const look = await lookAtSite(siteOf(deps), signal);
      const lack = lacksOf(deps, look, name, request.body.database);
      const { actor } = request.identity;
      const answered = await startOnce(deps, request, request.body, async () => {
        const copies = [];
        for (const { database, backupId, from, to, bytes: size } of lack.copies) {
          const queue = copyQueueOf(kindOf(deps, from), kindOf(deps, to));
          const jobId = await startCopy(deps.queues, queue, { database, backupId, from, to, actor });
          copies.push({ database, backupId, from, bytes: size, job: linkOfJob(queue, jobId, to) });
        }
        const { complete, sourceless } = lack;
        return { tier: name, complete, copies, sourceless, unreachable: look.unreachable };
      });
      return reply.status(statusOf(answered)).send(answered.answer);
    },
  );
}

function kindOf({ config }: ApiDeps, name: string) {
  return config.tiers.find((tier) => tier.name === name)?.kind ?? "sftp";
}
