import { access, constants, statfs } from "node:fs/promises";
import { inspectCopies, type InspectedCopy } from "@trivault/backup";
import {
  findDatabase,
  formatBytes,
  hidePasswords,
  isReference,
  type Manifest,
  messageOf,
  TrivaultError,
  urlOfDatabase,
  writeUtc,
} from "@trivault/core";
import { type Connection, describeConnection, lookAtTarget, parseDatabaseUrl, requireTools } from "@trivault/postgres";
import { countWorkers } from "@trivault/queue";
import type { Role } from "@trivault/access";
import type { ApiDeps } from "./deps.ts";
import { requireBackup } from "./find-backup.ts";
import type { RestoreBody } from "./restore-schema.ts";
import { whyNotAllowed } from "./restore-targets.ts";
import { bestManifest } from "./routes/show-manifest.ts";

export interface Check {
  readonly check: "backup" | "verified" | "identity" | "server" | "target" | "tools" | "space" | "worker";
  /** Null: it cannot be known from here. */
  readonly ok: boolean | null;
  readonly detail: string;
}

export interface RestorePlan {
  /** No check failed. Those that cannot be made from here may still. */
  readonly ok: boolean;
  readonly backupId: string;
  readonly database: string;
  readonly target: string;
  readonly bytes: number | null;
  /** As long as restores took lately, for its size; null where there was none. */
  readonly estimatedSeconds: number | null;
  readonly checks: readonly Check[];
}

/** The limit for one server or tool that does not answer; the others are reported all the same. */
const CHECK_MS = 20_000;

/**
 * Everything that a restore needs, looked at without changing anything. Programs, identity and space are those of this
 * machine: with `npm start` the worker is this process; one elsewhere may have another configuration, and the texts say so.
 */
export async function checkRestore(
  deps: ApiDeps,
  backupId: string,
  body: RestoreBody,
  { role, signal: request }: { readonly role: Role; readonly signal: AbortSignal },
): Promise<RestorePlan> {
  const backup = await requireBackup(deps, backupId, request);
  const { id, database } = backup;
  const signal = AbortSignal.any([request, AbortSignal.timeout(CHECK_MS)]);
  const copies = await inspectCopies(deps.config, deps.tiers, backup, signal);
  const manifest = bestManifest(copies);
  const connection = whyNotAllowed(deps.config, role, body.to) ?? connectionOf(deps, database, body);
  const target = typeof connection === "string" ? null : await look(connection);
  const checks = [
    checkBackup(copies, body.from),
    await checkVerified(deps, id),
    await checkIdentity(deps, manifest),
    checkServer(connection, target, manifest),
    checkTarget(body.target, target),
    await checkTools(deps, manifest, target),
    await checkSpace(deps, manifest, body.jobs),
    await checkWorker(deps),
  ];
  return {
    ok: checks.every(({ ok }) => ok !== false),
    backupId: id,
    database,
    target: typeof connection === "string" ? body.target : describeConnection(connection),
    bytes: manifest && sizeOf(manifest),
    estimatedSeconds: await estimate(deps, database, manifest),
    checks,
  };
}

function checkBackup(copies: readonly InspectedCopy[], from: string): Check {
  const asked = copies.filter(({ tier }) => from === "any" || tier === from);
  const good = asked.filter(({ signature }) => signature === "trusted").map(({ tier }) => tier);
  const check = "backup";
  if (good.length > 0) return { check, ok: true, detail: `Complete and signed by a known key on ${good.join(", ")}.` };
  const states = asked.map(({ tier, state, signature, problem }) => `${tier}: ${problem ?? signature ?? state}`);
  return { check, ok: false, detail: `No copy can be trusted. ${states.join("; ")}` };
}

async function checkVerified({ audit }: ApiDeps, backupId: string): Promise<Check> {
  const check = "verified";
  for await (const { outcome, at, tier, error } of audit.query(
    { backupId, action: "backup.verified" },
    "newest-first",
  )) {
    const when = writeUtc("en", at);
    if (outcome === "ok")
      return { check, ok: true, detail: `The copy on ${tier} was read whole and found good, ${when}.` };
    return {
      check,
      ok: null,
      detail: `When it was last read, ${when}, the copy on ${tier} was not good: ${error?.message}`,
    };
  }
  return {
    check,
    ok: null,
    detail: "It was not read whole since it was made; a restore verifies each segment before it is used.",
  };
}

async function checkIdentity({ config }: ApiDeps, manifest: Manifest | null): Promise<Check> {
  const check = "identity";
  if (manifest?.encryption === "none") return { check, ok: true, detail: "The backup is not encrypted." };
  if (config.identityFile === null) {
    const detail =
      "This service has no identity file (BACKUP_IDENTITY_FILE). A worker elsewhere may have one; without it the restore is refused.";
    return { check, ok: null, detail };
  }
  try {
    if (!isReference(config.identityFile)) await access(config.identityFile, constants.R_OK);
    return { check, ok: true, detail: "An identity file is at hand." };
  } catch (error) {
    return { check, ok: false, detail: `The identity file cannot be read: ${messageOf(error)}` };
  }
}

type Look = Awaited<ReturnType<typeof lookAtTarget>> | { readonly reason: string };

async function look(connection: Connection): Promise<Look> {
  try {
    return await lookAtTarget({ ...connection, connectTimeoutSeconds: Math.min(10, connection.connectTimeoutSeconds) });
  } catch (error) {
    return { reason: hidePasswords(messageOf(error)) };
  }
}

function checkServer(connection: Connection | string, target: Look | null, manifest: Manifest | null): Check {
  const check = "server";
  if (typeof connection === "string") return { check, ok: false, detail: connection };
  if (target === null || "reason" in target) return { check, ok: false, detail: target?.reason ?? "It was not asked." };
  const { major } = target;
  const needed = manifest?.server.major ?? 0;
  if (major >= needed) return { check, ok: true, detail: `PostgreSQL ${major} on ${connection.host} answers.` };
  return { check, ok: false, detail: `The backup is of PostgreSQL ${needed}, and the server runs the older ${major}.` };
}

function checkTarget(name: string, target: Look | null): Check {
  const check = "target";
  const database = JSON.stringify(name);
  if (target === null || "reason" in target) return { check, ok: null, detail: "The server could not be asked." };
  if (target.state === "occupied") {
    return {
      check,
      ok: false,
      detail: `${database} exists and holds ${target.objects.join(", ")}. Choose another name.`,
    };
  }
  if (target.state === "empty") return { check, ok: true, detail: `${database} exists and is empty.` };
  if (target.mayCreate) return { check, ok: true, detail: `The name ${database} is free.` };
  const detail = `The name ${database} is free, but the user of this server may not make databases: ALTER ROLE … CREATEDB, or restore to the restore server.`;
  return { check, ok: false, detail };
}

async function checkTools({ config }: ApiDeps, manifest: Manifest | null, target: Look | null): Promise<Check> {
  const check = "tools";
  const server = target !== null && "major" in target ? target.major : 0;
  try {
    const { pgRestore, zstd } = await requireTools(Math.max(server, manifest?.server.major ?? 0), config.pgBinDir);
    return { check, ok: true, detail: `pg_restore ${pgRestore.version}, zstd ${zstd.version} on this machine.` };
  } catch (error) {
    return { check, ok: null, detail: `On this machine: ${messageOf(error)} A worker elsewhere may have them.` };
  }
}

async function checkSpace({ config }: ApiDeps, manifest: Manifest | null, jobs: number): Promise<Check> {
  const check = "space";
  const theirs = "PostgreSQL does not report how much the database server has free.";
  if (jobs === 1 || manifest === null) return { check, ok: null, detail: `${theirs} Nothing is stored on the way.` };
  const needed = manifest.segments.reduce((sum, { plainSize }) => sum + plainSize, 0);
  const spool = await statfs(config.spoolMemory ?? config.spoolDir).catch(() => null);
  if (spool === null) return { check, ok: null, detail: theirs };
  const free = spool.bavail * spool.bsize;
  const detail = `With ${jobs} jobs the archive, more than ${formatBytes(needed)}, lies in the spool, where ${formatBytes(free)} are free. ${theirs}`;
  return { check, ok: free >= needed ? null : false, detail };
}

async function checkWorker({ queues }: ApiDeps): Promise<Check> {
  const check = "worker";
  try {
    const workers = (await countWorkers(queues))["restore"] ?? 0;
    if (workers > 0) return { check, ok: true, detail: `Workers that take restores: ${workers}.` };
    return { check, ok: false, detail: "No worker takes restores now. Start `npm start` or `npm run worker`." };
  } catch (error) {
    return { check, ok: false, detail: messageOf(error) };
  }
}

/** By the rate of the newest restore of the database that went well. */
async function estimate({ observer }: ApiDeps, database: string, manifest: Manifest | null): Promise<number | null> {
  const page = manifest && (await observer.database(database));
  const last = page?.restores
    .filter(({ outcome, seconds, bytes }) => outcome === "ok" && seconds !== null && bytes !== null && bytes > 0)
    .reduce<{ at: string; rate: number } | null>((newest, { at, seconds, bytes }) => {
      return newest !== null && newest.at > at ? newest : { at, rate: (seconds ?? 0) / (bytes ?? 1) };
    }, null);
  return manifest && last ? Math.ceil(sizeOf(manifest) * last.rate) : null;
}

function sizeOf({ segments }: Manifest): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** Why not, as a text, where no server is known. */
function connectionOf({ config }: ApiDeps, database: string, { to, target }: RestoreBody): Connection | string {
  const url = to === "restore-server" ? config.restoreTarget : (findDatabase(config, database)?.url ?? null);
  if (url === null) {
    return to === "restore-server"
      ? "BACKUP_RESTORE_TARGET is not set, so there is no restore server."
      : `The database ${database} is not configured any more, so its server is not known. Restore to the restore server.`;
  }
  try {
    return parseDatabaseUrl(urlOfDatabase(url, target));
  } catch (error) {
    if (error instanceof TrivaultError) return error.message;
    throw error;
  }
}
