import type { RecordedEvent } from "@trivault/audit";
import {
  type Copy,
  isTrusted,
  listCopies,
  readManifest,
  readStanding,
  restoreCommand,
  siteTrust,
} from "@trivault/backup";
import { findDatabase, isBackupId, messageOf, timeOfBackupId, totalSize, unlessAborted } from "@trivault/core";
import type { BackupView, CopyView, LogLine, ManifestView } from "@trivault/dashboard";
import { readInventories } from "@trivault/maintenance";
import { isMoving, type PlacedCopy, type RetentionRow, stagesOf, stateOfBackup } from "@trivault/monitor";
import type { RunStatus } from "@trivault/queue";
import type { Tier } from "@trivault/storage";
import type { ApiDeps } from "../deps.ts";
import { lookUpRun } from "../runs.ts";
import { readLog } from "./log-lines.ts";
import { noSuchBackup } from "./page-params.ts";

/** A page is worth more soon than complete: a tier that takes longer is shown as it was found before. */
const ASK_MS = 3000;
const MOST_LINES = 100;
/** Clocks differ. */
const NEAR_MS = 60_000;

/** All that is known of a backup (or of the run that shall make it), from the queue, the audit log and the tiers. */
export async function backupViewOf(deps: ApiDeps, id: string): Promise<BackupView> {
  if (!isBackupId(id)) throw noSuchBackup(id);
  const { run: jobs, queue, reason } = await lookUpRun(deps, id);
  const backupId = jobs === null ? id : (jobs.backupId ?? id);
  const recorded = await deps.observer.run(backupId);
  const database = jobs?.database ?? recorded?.database ?? (await databaseOf(deps, backupId));
  if (database === null) throw noSuchBackup(id);
  const known = await deps.observer.database(database);
  const row = known?.retention.find((each) => each.backupId === backupId) ?? null;
  const expected = known?.runs.findLast(({ bytes }) => bytes !== null)?.bytes ?? null;
  const state = stateOfBackup({ jobs, recorded, copies: row && row.tiers.map(placeOf) });
  const moving = isMoving(state);
  const [copies, manifest, requests, log] = await Promise.all([
    moving ? [] : copiesOf(deps, { database, backupId }, row),
    moving ? null : manifestOf(deps, { database, backupId }, row),
    requestsOf(deps, jobs?.runId ?? id),
    logOf(deps, backupId),
  ]);
  return {
    id: backupId,
    database,
    startedAt: recorded?.startedAt ?? timeOfBackupId(backupId).toISOString(),
    state: state === "ok" && copies.some(isBad) ? "incomplete" : state,
    actor: recorded?.actor ?? null,
    seconds: (jobs && secondsOf(jobs)) ?? recorded?.seconds ?? null,
    stages: stagesOf({ jobs, recorded, tiers: tiersAfterLocal(deps, database), expected, now: new Date() }),
    copies,
    manifest,
    log: [...requests, ...log],
    keep: row?.keep ?? null,
    restoreCommand: restoreCommand(database, backupId),
    problem:
      recorded?.problem?.message ??
      jobs?.stages.find(({ problem, state: each }) => each === "failed" && problem !== null)?.problem ??
      null,
    note: queue === "unreachable" ? (reason ?? null) : null,
  };
}

/** Its run succeeded, and yet it cannot be restored from there now. */
function isBad({ state }: CopyView): boolean {
  return state === "damaged" || state === "untrusted";
}

/** From its first job's beginning to its last one's end. */
function secondsOf({ stages }: RunStatus): number | null {
  const begun = stages.flatMap(({ startedAt }) => (startedAt === null ? [] : [startedAt.getTime()]));
  const ended = stages.flatMap(({ finishedAt }) => (finishedAt === null ? [] : [finishedAt.getTime()]));
  return ended.length < stages.length ? null : (Math.max(...ended) - Math.min(...begun)) / 1000;
}

async function logOf({ audit }: ApiDeps, backupId: string): Promise<LogLine[]> {
  const from = new Date(timeOfBackupId(backupId).getTime() - NEAR_MS);
  return (await readLog(audit, { backupId, from }, { order: "oldest-first", limit: MOST_LINES })).lines;
}

/** A request knows its run, and not yet its backup. */
async function requestsOf({ audit }: ApiDeps, runId: string): Promise<LogLine[]> {
  const at = timeOfBackupId(runId).getTime();
  const filter = { action: "backup.requested", from: new Date(at - NEAR_MS), to: new Date(at + NEAR_MS) } as const;
  const accept = ({ details }: RecordedEvent) => details?.["run"] === runId;
  return (await readLog(audit, filter, { order: "oldest-first", limit: MOST_LINES, accept })).lines;
}

/** Whose it is, where neither queue nor record know: of a backup that is older than the audit log is read. */
async function databaseOf({ config }: ApiDeps, backupId: string): Promise<string | null> {
  const copies = (await readInventories(config)).flatMap((inventory) => inventory.copies);
  return copies.find((copy) => copy.backupId === backupId)?.database ?? null;
}

function placeOf({ state, action }: RetentionRow["tiers"][number]): PlacedCopy {
  return { complete: state === "complete", wanted: action !== "none" };
}

/** Those that a backup of this database is to be copied to. */
function tiersAfterLocal({ config }: ApiDeps, database: string): readonly string[] {
  return (findDatabase(config, database)?.tiers ?? config.tiers.map(({ name }) => name)).slice(1);
}

interface Ref {
  readonly database: string;
  readonly backupId: string;
}

/** As the tiers themselves answer now; where one does not answer in time, as it was found before. */
async function copiesOf({ config, tiers }: ApiDeps, ref: Ref, row: RetentionRow | null): Promise<CopyView[]> {
  const signal = AbortSignal.timeout(ASK_MS);
  const { trustedKeys } = await siteTrust({ config });
  return Promise.all(
    tiers.map(async (tier): Promise<CopyView> => {
      const placed = row?.tiers.find((each) => each.tier === tier.name);
      const reasons = placed?.reasons ?? [];
      const copy = await listOne(tier, ref, signal);
      if (copy === null)
        return { tier: tier.name, state: placed?.state ?? "unknown", bytes: null, segments: null, reasons };
      if (copy === undefined) return { tier: tier.name, state: "absent", bytes: null, segments: null, reasons };
      const { bytes, complete } = copy;
      // A listing shows that it is there; that it is damaged or not to be trusted is what maintenance found.
      const found = placed?.state === "absent" || placed?.state === "partial" ? undefined : placed?.state;
      const state = complete ? (found ?? (await stateOfOne(tier, ref, trustedKeys, signal))) : "partial";
      return { tier: tier.name, state, bytes, segments: complete ? copy.objects - 1 : copy.objects, reasons };
    }),
  );
}

/** By its manifest, of which maintenance knows nothing yet. */
async function stateOfOne(
  tier: Tier,
  ref: Ref,
  trustedKeys: readonly string[],
  signal: AbortSignal,
): Promise<CopyView["state"]> {
  try {
    const standing = await readStanding(tier, ref, trustedKeys, signal);
    return ({ trusted: "complete", bad: "untrusted", absent: "partial" } as const)[standing.is];
  } catch {
    return "unknown";
  }
}

/** Undefined: there is none. Null: it could not be asked in time. */
async function listOne(tier: Tier, ref: Ref, signal: AbortSignal): Promise<Copy | undefined | null> {
  try {
    const [copy] = await unlessAborted(signal, listCopies(tier, ref, signal));
    return copy;
  } catch {
    return null;
  }
}

/** From the nearest tier that has it and answers. */
async function manifestOf(
  { config, tiers, log }: ApiDeps,
  ref: Ref,
  row: RetentionRow | null,
): Promise<ManifestView | null> {
  const there = tiers.filter(({ name }) => {
    const state = row?.tiers.find((each) => each.tier === name)?.state;
    return state === undefined || state === "complete";
  });
  const trust = await siteTrust({ config });
  for (const tier of there) {
    try {
      const asked = { signal: AbortSignal.timeout(ASK_MS), trustedKeys: trust.trustedKeys, anyOrigin: true };
      const stored = await readManifest(tier, ref, asked);
      if (stored === null) continue;
      const { manifest, signature } = stored.signed;
      const plain = manifest.segments.reduce((sum, { plainSize }) => sum + plainSize, 0);
      return {
        completedAt: manifest.completedAt,
        server: manifest.server.version,
        tools: manifest.tools,
        encryption: manifest.encryption,
        recipients: manifest.recipients.length,
        segments: manifest.segments.length,
        bytes: totalSize(manifest),
        plainBytes: plain,
        signedBy: isTrusted(stored.signed, trust.trustedKeys) ? (signature?.publicKey ?? null) : null,
      };
    } catch (error) {
      log.warn({ tier: tier.name, backup: ref.backupId, reason: messageOf(error) }, "a manifest could not be read");
    }
  }
  return null;
}
