import { hidePasswords, type QueueName } from "@trivault/core";
import { jobLog, runStatus } from "@trivault/queue";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { jobLogs } from "../job-schema.ts";
import { BACKUPS_PATH } from "../links.ts";
import { backupId, problems } from "../schema-parts.ts";

export function showLogRoute(app: App, { config, queues }: ApiDeps): void {
  app.get(
    `${BACKUPS_PATH}/:id/log`,
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showLog",
        tags: ["backups"],
        summary: "What the jobs of a backup said, as far as the queue remembers",
        description:
          "The log of a run (as POST answers it) or of a backup. Jobs that the queue has forgotten are not among them.",
        params: z.strictObject({ id: backupId }),
        response: { 200: jobLogs, ...problems },
      },
    },
    async (request) => {
      const { id } = request.params;
      const run = await runStatus(queues, config, id);
      const backup = run?.backupId ?? id;
      const jobs: { queue: QueueName; id: string; tier: string | null }[] = [
        ...(run ? [{ queue: "dump" as const, id: run.runId, tier: null }] : []),
        { queue: "encrypt", id: backup, tier: null },
        ...config.tiers.flatMap(({ name }) =>
          (["remote-sync", "cloud-upload", "verify"] as const).map((queue) => ({
            queue,
            id: `${backup}.${name}`,
            tier: name,
          })),
        ),
      ];
      const logs = await Promise.all(
        jobs.map(async (job) => ({ ...job, lines: (await jobLog(queues, job.queue, job.id)).map(hidePasswords) })),
      );
      return { jobs: logs.filter(({ lines }) => lines.length > 0) };
    },
  );
}
