import type { AuditLog, RecordedEvent } from "@trivault/audit";
import { codeOf, findDatabase, TrivaultError, urlOfDatabase } from "@trivault/core";
import { type MaintenanceSite } from "@trivault/maintenance";
import { restoreRecorded } from "@trivault/site";
import { type Handler, parseJob, type RestoreJob, restoreJobSchema } from "@trivault/queue";

/**
 * Restores a backup into a database that does not exist yet or is empty: what holds something is never touched. A worker
 * that dies in it is followed by another, which finds the target empty (pg_restore works in one transaction) or says that
 * it is not.
 */
export function restoreHandler(site: MaintenanceSite, history: Pick<AuditLog, "query">): Handler {
  return {
    async run(data, context, { id, isTakenOver }) {
      const job = parseJob(restoreJobSchema, "restore", data);
      const before = await findRestore(history, job, id);
      if (before !== null) {
        if (!isTakenOver) await refuseReplay(site, id);
        context.note("restored already, by a worker that died before it could say so");
        return resultOf(job, before);
      }
      const { database, backupId, from, noOwner, globals, jobs, actor } = job;
      const targetUrl = targetOf(site, job);
      const request = { database, backup: backupId, from, targetUrl, noOwner, globals, jobs };
      try {
        const never = { force: false, allowUnsigned: false, databaseProperties: false };
        const result = await restoreRecorded(site, { ...request, ...never }, actor, context, id);
        context.note(
          result.tablesCompared === null
            ? "restored; the backup holds no row counts to compare with"
            : `restored; the row counts of all ${result.tablesCompared} tables equal those of the backup`,
        );
        for (const line of result.properties?.refused ?? []) context.note(`left out: ${line}`);
        return result;
      } catch (error) {
        throw codeOf(error) === "KEY_FILE" && site.config.identityFile === null ? noIdentity(error) : error;
      }
    },
  };
}

/** How the job was carried out already, by the audit log: what Redis remembers of it, whoever can write to Redis can take away. */
async function findRestore(
  history: Pick<AuditLog, "query">,
  { backupId, askedAt }: RestoreJob,
  id: string,
): Promise<RecordedEvent | null> {
  if (askedAt === undefined) return null;
  // Hosts' clocks may differ by so much.
  const from = new Date(new Date(askedAt).getTime() - 60_000);
  const restores = history.query({ action: "backup.restored", outcome: "ok", backupId, from }, "newest-first");
  for await (const event of restores) if (event.details?.["job"] === id) return event;
  return null;
}

/** As much of it as the audit log holds. */
function resultOf({ database, backupId }: RestoreJob, { seconds, bytes, details }: RecordedEvent): object {
  const tablesCompared = typeof details?.["tables"] === "number" ? details["tables"] : null;
  return { database, backupId, target: details?.["target"] ?? null, seconds, bytes, tablesCompared };
}

/** The seal of a job that was put back into Redis is good, and proves no second request. */
async function refuseReplay(site: MaintenanceSite, id: string): Promise<never> {
  const message = "This restore was carried out already, and its job was put back into Redis: ask for it anew.";
  await site.record({
    action: "job.refused",
    outcome: "refused",
    actor: "maintenance",
    error: { code: "UNTRUSTED", message },
    details: { queue: "restore", job: id, count: 1 },
  });
  throw new TrivaultError("UNTRUSTED", message, { permanent: true });
}

function targetOf({ config }: MaintenanceSite, { database, to, target }: RestoreJob): string {
  if (to === "restore-server") {
    if (config.restoreTarget !== null) return urlOfDatabase(config.restoreTarget, target);
    throw new TrivaultError(
      "CONFIG_INVALID",
      "No restore server is configured for this worker: set BACKUP_RESTORE_TARGET to a PostgreSQL URL of that server and start the worker again, or restore to the server that the backup came from.",
      { permanent: true },
    );
  }
  const source = findDatabase(config, database);
  if (source !== null) return urlOfDatabase(source.url, target);
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(database)} is configured for this worker, so it does not know the server that the backup came from. Restore to the restore server (BACKUP_RESTORE_TARGET), or with npm run backup:restore.`,
    { permanent: true },
  );
}

function noIdentity(cause: unknown): TrivaultError {
  return new TrivaultError(
    "KEY_FILE",
    "The backup is encrypted, and the worker that took this job has no identity file. Set BACKUP_IDENTITY_FILE for the worker that shall restore, and leave `restore` out of WORKER_QUEUES of the others; or restore where the identity is, with npm run backup:restore.",
    { permanent: true, cause },
  );
}
