import type { Recorder } from "@trivault/audit";
import { type RestoreContext, type RestoreRequest, type RestoreResult, restoreBackup } from "@trivault/backup";
import { codeOf, type Config, type ErrorCode, hidePasswords, messageOf, TrivaultError } from "@trivault/core";
import { databaseOid, describeConnection, parseDatabaseUrl } from "@trivault/postgres";
import type { Tier } from "@trivault/storage";
import { wasDiscovered } from "./discovery.ts";
import { forgetRestored, noteRestored, type RestoredNote } from "./restored-names.ts";

export interface RestoreSite {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly record: Recorder;
}

/** Nothing was touched: the restore was not let go on. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(["TARGET_NOT_EMPTY", "UNTRUSTED", "INPUT_INVALID"]);

/** Restores, and records how it ended and where it went to (server and database, never the URL). `job`: the id of the job that asked. */
export async function restoreRecorded(
  { config, tiers, record }: RestoreSite,
  request: RestoreRequest,
  actor: string,
  context: RestoreContext,
  job?: string,
): Promise<RestoreResult> {
  const begun = performance.now();
  const { database, from, force } = request;
  const event = { action: "backup.restored", actor, database } as const;
  const details = { target: describeTarget(request.targetUrl), from, force, ...(job === undefined ? {} : { job }) };
  try {
    const result = await restoreBackup(config, tiers, request, {
      ...context,
      ...targetNotes(config, request, context),
    });
    const { backupId, seconds, bytes, damage } = result;
    const segments = Object.entries(result.segmentsFrom).map(([tier, count]) => `${tier}:${count}`);
    const more = {
      ...details,
      segments: segments.join(" "),
      damaged: damage.length,
      tables: result.tablesCompared,
      ...(result.roles ? { rolesMade: result.roles.made.length, rolesRefused: result.roles.refused.length } : {}),
    };
    await record({ ...event, outcome: "ok", backupId, seconds, bytes, details: more });
    return result;
  } catch (error) {
    const refused = error instanceof TrivaultError && REFUSALS.has(error.code);
    await record({
      ...event,
      outcome: refused ? "refused" : "failed",
      ...(request.backup === "latest" ? {} : { backupId: request.backup }),
      seconds: (performance.now() - begun) / 1000,
      error: { code: codeOf(error) ?? "UNKNOWN", message: hidePasswords(messageOf(error)) },
      details,
    });
    throw error;
  }
}

/** Notes what is restored into, and takes that back where it is dropped again. No restore fails because of it. */
function targetNotes(
  config: Config,
  { database: source, backup: backupId }: RestoreRequest,
  { log, note }: RestoreContext,
): Required<Pick<RestoreContext, "onTarget" | "onDropped">> {
  let noted: RestoredNote | null = null;
  return {
    async onTarget(connection) {
      const { database: name } = connection;
      try {
        const oid = await databaseOid(connection);
        // Nothing changes for a database that was discovered before.
        if (oid === null || (await wasDiscovered(config, name))) return;
        noted = { name, oid, source, backupId, at: new Date().toISOString() };
        await noteRestored(config, noted);
      } catch (error) {
        log.warn({ reason: hidePasswords(messageOf(error)) }, "the restored database could not be noted");
        note(`it could not be noted that ${name} is a restored database, so discovery may find it`);
      }
    },
    async onDropped() {
      // A note that stays hides nothing: its object id is gone, and maintenance forgets it.
      if (noted !== null) await forgetRestored(config, noted).catch(() => undefined);
    },
  };
}

function describeTarget(url: string): string {
  try {
    return describeConnection(parseDatabaseUrl(url));
  } catch {
    return "not a URL";
  }
}
