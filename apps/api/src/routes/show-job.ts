import { TrivaultError } from "@trivault/core";
import { jobDetails, jobLog } from "@trivault/queue";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { answerOfJob, jobAnswer } from "../job-schema.ts";
import { problems, queueName } from "../schema-parts.ts";

const jobId = z
  .string()
  .min(1)
  .max(600)
  .meta({ examples: ["20261123t020000z-7f3k9xq2.remote"] });

export function showJobRoute(app: App, { queues }: ApiDeps): void {
  app.get(
    "/api/v1/jobs/:queue/:id",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showJob",
        tags: ["jobs"],
        summary: "The progress of a job: a restore, a verification, a stage of a backup",
        params: z.strictObject({ queue: queueName, id: jobId }),
        response: { 200: jobAnswer, ...problems },
      },
    },
    async (request) => {
      const { queue, id } = request.params;
      const job = await jobDetails(queues, queue, id);
      if (job !== null) return answerOfJob(job, await jobLog(queues, queue, id));
      throw new TrivaultError(
        "NOT_FOUND",
        `The queue ${queue} knows no job ${JSON.stringify(id)} (any more); what became of it stands in the audit log, GET /api/v1/audit.`,
        { permanent: true },
      );
    },
  );
}
