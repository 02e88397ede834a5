import { codeOf, type Config, type Logger, messageOf, totalSize, TrivaultError } from "@trivault/core";
import {
  type AppliedGlobals,
  type AppliedProperties,
  applyGlobals,
  applyProperties,
  compareRows,
  type Connection,
  decodeGlobals,
  type Details,
  missingRoles,
  namesOnly,
  parseDatabaseUrl,
  prepareTarget,
  requireTools,
  restoreArchive,
  restoreSql,
  type RowDifference,
  type Target,
} from "@trivault/postgres";
import type { Tier } from "@trivault/storage";
import { adviseInstead, chooseTrusted, namePassedOver, type PassedOver } from "./choose-trusted.ts";
import { markInUse } from "./in-use.ts";
import { aheadLines, type BackupList, type BackupSummary, listBackups } from "./list.ts";
import { type BackupSource, openSource } from "./restore-source.ts";
import type { Progress } from "./site.ts";
import { ensureSpool } from "./spool.ts";
import { findTier } from "./tiers.ts";
import { loadTrust, type Trust } from "./trust.ts";

export interface RestoreRequest {
  readonly database: string;
  /** A backup id; or `latest`, the newest that is trusted. */
  readonly backup: string;
  /** A tier's name, or `any`: each segment from the first tier that has a good one. */
  readonly from: string;
  readonly targetUrl: string;
  /** Replace what a target that is not empty holds. */
  readonly force: boolean;
  /** Everything belongs to the user who restores; no grants. */
  readonly noOwner: boolean;
  /** First make those roles of the backup that the target lacks. */
  readonly globals: boolean;
  /** Give a database that was there already what belonged to the one that was backed up (properties.ts); a new one gets it anyway. */
  readonly databaseProperties: boolean;
  readonly jobs: number;
  /** Only of a backup that is named. */
  readonly allowUnsigned: boolean;
}

export interface RestoreResult {
  readonly backupId: string;
  readonly database: string;
  readonly target: string;
  readonly created: boolean;
  readonly bytes: number;
  readonly seconds: number;
  /** Segments read from each tier. */
  readonly segmentsFrom: Readonly<Record<string, number>>;
  /** What a tier should have had and had not; the restore took it from another one. */
  readonly damage: readonly { readonly tier: string; readonly problem: string }[];
  /** Newer ones that `latest` did not take: no key known here vouches for them, or they could not be read. */
  readonly passedOver: readonly PassedOver[];
  /** Tables whose exact row counts were compared with those of the backup; null where it holds none. */
  readonly tablesCompared: number | null;
  /** What was done with the roles that the backup holds; null where that was not asked for. */
  readonly roles: AppliedGlobals | null;
  /** What was done with owner, settings, rights and comment of the database; null where nothing was to be done. */
  readonly properties: AppliedProperties | null;
}

export interface RestoreContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly note: (line: string) => void;
  readonly progress: (progress: Progress) => void;
  /** The database that is restored into is there, and nothing is in it yet. */
  readonly onTarget?: (target: Connection) => Promise<void>;
  /** The restore failed, and the database that was made for it was dropped again. */
  readonly onDropped?: (target: Connection) => Promise<void>;
}

/**
 * Restores one backup into a new or empty database. It needs a tier, an identity and a PostgreSQL server: no Redis, no
 * API, no source database. A target that was made for it is dropped again where the restore fails.
 */
export async function restoreBackup(
  config: Config,
  tiers: readonly Tier[],
  request: RestoreRequest,
  context: RestoreContext,
): Promise<RestoreResult> {
  const begun = performance.now();
  refuseAnyLatest(request);
  const connection = parseDatabaseUrl(request.targetUrl);
  const asked = request.from === "any" ? tiers : [findTier(tiers, request.from)];
  const trust = await loadTrust(config);
  const list = await listBackups(asked, request.database, context.signal);
  for (const { tier, reason } of list.unreachable) context.note(`the tier ${tier} cannot be asked: ${reason}`);
  for (const line of aheadLines(list, request.database, new Date())) context.note(line);
  const { signal } = context;
  const { backup, passedOver } = await chooseTrusted(asked, list, request.database, request.backup, { trust, signal });
  if (passedOver.length > 0) context.note(passedOverLine(passedOver));

  const source = await openTrusted(asked, list, backup, trust, request, context);
  const reading = await markInUse(config, { database: request.database, backupId: backup.id });
  try {
    if (source.manifest.content === "sql") checkSqlRequest(request);
    const target = await prepareTarget(connection, {
      details: source.details,
      serverMajor: source.manifest.server.major,
      force: request.force,
      signal,
    });
    for (const line of target.differences) context.note(line);
    const details = request.databaseProperties || target.created ? source.details : null;
    const giveProperties = (when: "before" | "after") =>
      details?.properties === undefined
        ? null
        : applyProperties(connection, { details, when, noOwner: request.noOwner, signal });
    let roles: AppliedGlobals | null;
    let before: AppliedProperties | null;
    try {
      await context.onTarget?.(connection);
      const tools = await requireTools(Math.max(target.major, source.manifest.server.major), config.pgBinDir);
      if (request.jobs > 1) await ensureSpool(config);
      roles = await prepareRoles(source, connection, request, context);
      before = await giveProperties("before");
      context.note(`restoring ${backup.id} of ${request.database} into ${connection.database}`);
      const { log } = context;
      if (source.manifest.content === "sql") {
        await restoreSql({ connection, tools, script: source.data(), signal });
      } else {
        await restoreArchive({
          connection,
          tools,
          archive: source.data(),
          jobs: request.jobs,
          clean: request.force,
          noOwner: request.noOwner,
          moneyLocale: source.details?.properties?.moneyLocale ?? null,
          signal,
          workDir: config.spoolDir,
          log,
        });
      }
    } catch (error) {
      if (target.created) await dropAgain(target, connection, context);
      throw error;
    }
    const tablesCompared = await compare(connection, source.details, signal);
    // After the comparing: rights and owner may shut out whoever restores. The data is there by now, whatever comes of this.
    const after = await giveProperties("after")?.catch((error: unknown) => {
      signal.throwIfAborted();
      const why = `owner, rights, comment and the rest of the settings could not be applied: ${messageOf(error)}`;
      return {
        applied: [],
        refused: [`${why}. The data is there; set them by hand, or restore into another new database`],
      };
    });
    return {
      backupId: backup.id,
      database: request.database,
      target: connection.database,
      created: target.created,
      bytes: totalSize(source.manifest),
      tablesCompared,
      roles,
      properties: joined(before, after ?? null),
      seconds: (performance.now() - begun) / 1000,
      segmentsFrom: Object.fromEntries(source.segmentsFrom),
      damage: source.damage,
      passedOver,
    };
  } finally {
    await reading.release();
    await source.close();
  }
}

function joined(before: AppliedProperties | null, after: AppliedProperties | null): AppliedProperties | null {
  if (before === null || after === null) return null;
  return { applied: [...before.applied, ...after.applied], refused: [...before.refused, ...after.refused] };
}

/** Why the restore failed is what is thrown, also where this fails. */
async function dropAgain(target: Target, connection: Connection, context: RestoreContext): Promise<void> {
  try {
    await target.drop();
    await context.onDropped?.(connection);
  } catch (error) {
    context.note(`the database ${connection.database}, which was made for this, is left: ${messageOf(error)}`);
  }
}

/** Whoever can write to a tier chooses what its newest backup is; so that one is named by whoever believes it. */
function refuseAnyLatest({ allowUnsigned, backup }: RestoreRequest): void {
  if (!allowUnsigned || backup !== "latest") return;
  throw new TrivaultError(
    "INPUT_INVALID",
    "--allow-unsigned restores one backup that you name (--backup ID, as `npm run backup:list` prints them), never the latest: whoever can write to a tier can put a newer one there.",
    { permanent: true },
  );
}

/** Says of a backup that was named and is not trusted which other one is. */
async function openTrusted(
  tiers: readonly Tier[],
  list: BackupList,
  backup: BackupSummary,
  trust: Trust,
  { allowUnsigned }: RestoreRequest,
  context: RestoreContext,
): Promise<BackupSource> {
  try {
    return await openSource(tiers, backup, trust, allowUnsigned, context);
  } catch (cause) {
    if (codeOf(cause) !== "UNTRUSTED") throw cause;
    const advice = await adviseInstead(tiers, list, backup, { trust, signal: context.signal });
    throw new TrivaultError("UNTRUSTED", `${messageOf(cause)} ${advice}`.trimEnd(), { permanent: true, cause });
  }
}

function passedOverLine(passedOver: readonly PassedOver[]): string {
  const count = passedOver.length === 1 ? "1 newer backup is" : `${passedOver.length} newer backups are`;
  return `${count} passed over: ${namePassedOver(passedOver)}`;
}

/** What only pg_restore can do, which knows what is in an archive. */
function checkSqlRequest({ force, noOwner }: RestoreRequest): void {
  const why = "This backup was adopted from a plain SQL dump, which can only be carried out as it stands";
  if (force) {
    const message = `${why}: it cannot replace what a database holds (--force). Restore it into a new database.`;
    throw new TrivaultError("INPUT_INVALID", message, { permanent: true });
  }
  if (noOwner) {
    const message = `${why}: its owners and grants cannot be left out (--no-owner). Make the roles that it names on the target server first (CREATE ROLE; no login is needed).`;
    throw new TrivaultError("INPUT_INVALID", message, { permanent: true });
  }
}

async function prepareRoles(
  source: BackupSource,
  connection: Connection,
  request: RestoreRequest,
  context: RestoreContext,
): Promise<AppliedGlobals | null> {
  if (request.noOwner) return null;
  const applied = request.globals ? await makeRoles(source, connection, context.signal) : null;
  for (const line of applied?.refused ?? []) context.note(line);
  const missing = await missingRoles(connection, source.details?.roles ?? [], context.signal);
  if (missing.length === 0) return applied;
  const names = missing.map((role) => JSON.stringify(role)).join(", ");
  const next = applied
    ? `Not all could be made (${applied.refused.join("; ")}): make them yourself (CREATE ROLE; no login is needed), or say`
    : "Say --globals to make them from the backup first, or";
  throw new TrivaultError(
    "RESTORE_FAILED",
    `The target server lacks roles that own or use what is in this backup: ${names}. ${next} --no-owner to give everything to ${connection.user}.`,
    { permanent: true },
  );
}

async function makeRoles(source: BackupSource, connection: Connection, signal: AbortSignal): Promise<AppliedGlobals> {
  const file = await source.globals();
  const globals = file && decodeGlobals(file);
  if (globals) return applyGlobals(connection, globals, signal);
  const applied = await applyGlobals(connection, namesOnly(source.details?.roles ?? []), signal);
  const script = file
    ? "the script that it has instead is not carried out: look at it, and run by hand what you want of it, as RECOVERY.md says"
    : "the user who made it could not read them";
  const why = `the backup holds no data about its roles, so they are made without login, password, settings and memberships (${script})`;
  return { ...applied, refused: [why, ...applied.refused] };
}

async function compare(connection: Connection, details: Details | null, signal: AbortSignal): Promise<number | null> {
  const counted = details?.tables.filter((table) => table.rows !== null).length ?? 0;
  if (!details || counted === 0) return null;
  const differences = await compareRows(connection, details, signal);
  if (differences.length === 0) return counted;
  const shown = differences.slice(0, 5).map(describe).join("; ");
  throw new TrivaultError(
    "RESTORE_FAILED",
    `The restored database differs from what was backed up: ${shown}. It is left in place for you to look at; do not use it.`,
    { permanent: true },
  );
}

function describe({ table, expected, found }: RowDifference): string {
  return `${table} has ${found ?? "no"} rows instead of ${expected}`;
}
