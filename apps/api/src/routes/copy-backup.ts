import { findTier } from "@trivault/backup";
import { TrivaultError } from "@trivault/core";
import { copyQueueOf, startCopy } from "@trivault/queue";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { requireBackup } from "../find-backup.ts";
import { BACKUPS_PATH, linkOfJob } from "../links.ts";
import { backupId, idempotencyHeaders, jobLink, problems, tierName } from "../schema-parts.ts";
import { startOnce, statusOf } from "../started.ts";

const answer = z
  .object({
    backupId: z.string(),
    database: z.string(),
    to: z.string(),
    from: z.string().nullable().describe("Null: the tier has a complete copy already, and nothing was started."),
    job: jobLink.nullable(),
  })
  .meta({ id: "StartedCopy" });

export function copyBackupRoute(app: App, deps: ApiDeps): void {
  app.post(
    `${BACKUPS_PATH}/:id/copy`,
    {
      config: { access: "operator" },
      schema: {
        operationId: "copyBackup",
        tags: ["backups"],
        summary: "Bring a backup to a tier now",
        description:
          "From the first tier that has a complete copy. By the rules of its tier it may go again with the next maintenance; hold it (PUT …/keep) where it shall stay.",
        params: z.strictObject({ id: backupId }),
        body: z.strictObject({ to: tierName }).meta({ examples: [{ to: "cloud" }] }),
        headers: idempotencyHeaders,
        response: { 200: answer, 202: answer, ...problems },
      },
    },
    async (request, reply) => {
      const { to } = request.body;
      const target = findTier(deps.tiers, to);
      const { database, id, copies } = await requireBackup(deps, request.params.id, request.signal);
      const whole = copies.filter(({ state }) => state === "complete").map(({ tier }) => tier);
      const about = { backupId: id, database, to };
      if (whole.includes(to)) return reply.status(200).send({ ...about, from: null, job: null });
      const source = deps.tiers.find(({ name }) => whole.includes(name));
      if (source === undefined) {
        const message = `No tier that could be asked has a complete copy of ${id}, so it cannot be brought to ${to}.`;
        throw new TrivaultError("NOT_FOUND", message, { permanent: true });
      }
      const queue = copyQueueOf(source.kind, target.kind);
      const answered = await startOnce(deps, request, request.body, async () => {
        const job = { database, backupId: id, from: source.name, to, actor: request.identity.actor };
        const jobId = await startCopy(deps.queues, queue, job);
        return { ...about, from: source.name, job: linkOfJob(queue, jobId, to) };
      });
      return reply.status(statusOf(answered)).send(answered.answer);
    },
  );
}
