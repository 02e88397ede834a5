import { findDatabase, TrivaultError } from "@trivault/core";
import { stateOfJobs } from "@trivault/monitor";
import { requestBackup } from "@trivault/queue";
import type { ApiDeps, App } from "../deps.ts";
import { BACKUPS_PATH, linksOf } from "../links.ts";
import { lookUpRun } from "../runs.ts";
import { idempotencyHeaders } from "../schema-parts.ts";
import { createBackupBody, problems, requestedBackup, publishedStatus } from "../schemas.ts";
import { keyOf } from "../started.ts";

export function createBackupRoute(app: App, deps: ApiDeps): void {
  app.post(
    BACKUPS_PATH,
    {
      config: { access: "operator" },
      schema: {
        operationId: "createBackup",
        tags: ["backups"],
        summary: "Ask for a backup now",
        description:
          "202 when it was enqueued, 200 when the Idempotency-Key was seen before, or a backup of this database waits already (`joined`). Its `self` link shows its progress.",
        body: createBackupBody,
        headers: idempotencyHeaders,
        response: { 200: requestedBackup, 202: requestedBackup, ...problems },
      },
    },
    async (request, reply) => {
      const { database } = request.body;
      requireConfigured(deps, database);
      const { actor } = request.identity;
      const { runId, created, joined } = await requestBackup(deps.queues, deps.redis, {
        database,
        actor,
        idempotencyKey: keyOf(request.headers),
      });
      if (created) {
        request.log.info({ database, run: runId }, "backup requested");
        const details = { run: runId, ip: request.ip };
        await deps.record({ action: "backup.requested", outcome: "ok", actor, database, details });
      }
      const { run } = created ? { run: null } : await lookUpRun(deps, runId);
      const links = linksOf(runId);
      return reply
        .status(created ? 202 : 200)
        .header("location", links.self)
        .send({
          id: runId,
          database,
          joined,
          status: publishedStatus(run === null ? "queued" : stateOfJobs(run)),
          links,
        });
    },
  );
}

function requireConfigured({ config }: ApiDeps, database: string): void {
  if (findDatabase(config, database)) return;
  const patterns = config.servers.flatMap(({ name, include }) => include.map((pattern) => `${name}.${pattern}`));
  const names = [...config.databases.map(({ name }) => name), ...patterns];
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(database)} is configured here; there is: ${names.join(", ") || "none"}. DATABASE_URL or trivault.config.yaml names it.`,
    { permanent: true },
  );
}
