import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import {
  type Config,
  dataSegments,
  type Logger,
  type Manifest,
  messageOf,
  type Segment,
  type SignedManifest,
  totalSize,
  TrivaultError,
} from "@trivault/core";
import { createOpener, type Opener } from "@trivault/crypto";
import {
  applyGlobals,
  compareRows,
  type Connection,
  type Details,
  detailsSchema,
  missingRoles,
  parseDatabaseUrl,
  prepareTarget,
  requireTools,
  restoreArchive,
  type RowDifference,
  type Tools,
} from "@trivault/postgres";
import type { Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";
import { fetchSegment } from "./fetch.ts";
import { type BackupSummary, chooseBackup, listBackups } from "./list.ts";
import type { Progress } from "./site.ts";
import { findTier } from "./tiers.ts";
import { loadTrust, requireTrusted, type Trust } from "./trust.ts";

/** Larger than the description of any database we could restore; a bound on what a tier can make us hold. */
const MAX_EXTRA_BYTES = 256 * 1024 * 1024;

export interface RestoreRequest {
  readonly database: string;
  /** A backup id, or `latest`. */
  readonly backup: string;
  /** A tier's name, or `any`: each segment from the first tier that has a good one. */
  readonly from: string;
  readonly targetUrl: string;
  /** Replace what a target that is not empty holds. */
  readonly force: boolean;
  /** Everything belongs to the user who restores; no grants. */
  readonly noOwner: boolean;
  /** First make the roles that the backup lists. */
  readonly globals: boolean;
  readonly jobs: number;
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
  /** Tables whose exact row counts were compared with those of the backup; null where it holds none. */
  readonly tablesCompared: number | null;
}

export interface RestoreContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly note: (line: string) => void;
  readonly progress: (progress: Progress) => void;
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
  const connection = parseDatabaseUrl(request.targetUrl);
  const asked = request.from === "any" ? tiers : [findTier(tiers, request.from)];
  const trust = await loadTrust(config);
  const list = await listBackups(asked, request.database, context.signal);
  for (const { tier, reason } of list.unreachable) context.note(`the tier ${tier} cannot be asked: ${reason}`);
  const backup = chooseBackup(list, request.database, request.backup);

  const source = await openSource(asked, backup, trust, request, context);
  try {
    const target = await prepareTarget(connection, {
      details: source.details,
      serverMajor: source.manifest.server.major,
      force: request.force,
    });
    try {
      const tools = await requireTools(Math.max(target.major, source.manifest.server.major), config.pgBinDir);
      await mkdir(config.spoolDir, { recursive: true, mode: 0o700 });
      await prepareRoles(source, connection, tools, request);
      context.note(`restoring ${backup.id} of ${request.database} into ${connection.database}`);
      await restoreArchive({
        connection,
        tools,
        archive: source.archive(),
        jobs: request.jobs,
        clean: request.force,
        noOwner: request.noOwner,
        signal: context.signal,
        workDir: config.spoolDir,
        log: context.log,
      });
    } catch (error) {
      if (target.created) await target.drop();
      throw error;
    }
    return {
      backupId: backup.id,
      database: request.database,
      target: connection.database,
      created: target.created,
      bytes: totalSize(source.manifest),
      tablesCompared: await compare(connection, source.details),
      seconds: (performance.now() - begun) / 1000,
      segmentsFrom: Object.fromEntries(source.segmentsFrom),
      damage: source.damage,
    };
  } finally {
    await source.close();
  }
}

interface BackupSource {
  readonly manifest: Manifest;
  readonly details: Details | null;
  readonly globals: () => Promise<Buffer | null>;
  /** The zstd stream, segment by segment, each verified whole before it is yielded; the next ones are read meanwhile. */
  readonly archive: () => AsyncGenerator<Uint8Array>;
  readonly segmentsFrom: Map<string, number>;
  readonly damage: { tier: string; problem: string }[];
  readonly close: () => Promise<void>;
}

async function openSource(
  asked: readonly Tier[],
  backup: BackupSummary,
  trust: Trust,
  request: RestoreRequest,
  context: RestoreContext,
): Promise<BackupSource> {
  const holders = asked.filter((tier) => backup.copies.some((copy) => copy.tier === tier.name && copy.complete));
  const damage: BackupSource["damage"] = [];
  const onBad = (tier: string, problem: string) => {
    damage.push({ tier, problem });
    context.note(`${tier} is passed over: ${problem}`);
  };
  const { manifest } = await readTrusted(holders, backup, trust, request.allowUnsigned, onBad, context.signal);
  if (manifest.encryption === "age" && trust.identities === null) {
    throw new TrivaultError(
      "KEY_FILE",
      "This backup is encrypted: set BACKUP_IDENTITY_FILE to the identity file that `npm run backup:keys:generate` wrote.",
      { permanent: true },
    );
  }
  const ref = { database: backup.database, backupId: backup.id };
  const opener: Opener = createOpener(manifest.encryption === "age" ? trust.identities : null);
  const segmentsFrom = new Map<string, number>();
  const fetch = async (segment: Segment) => {
    const { plain, tier } = await fetchSegment(holders, ref, segment, opener, { signal: context.signal, onBad });
    segmentsFrom.set(tier, (segmentsFrom.get(tier) ?? 0) + 1);
    return plain;
  };
  const extra = async (stem: string): Promise<Buffer | null> => {
    const segment = manifest.segments.find(({ name }) => name.startsWith(`${stem}.`));
    return segment ? promisify(zstdDecompress)(await fetch(segment), { maxOutputLength: MAX_EXTRA_BYTES }) : null;
  };
  try {
    const details = await extra("details");
    return {
      manifest,
      details: details && detailsSchema.parse(JSON.parse(details.toString("utf8"))),
      globals: () => extra("globals"),
      archive: () => readAhead(dataSegments(manifest), fetch, totalSize(manifest), context.progress),
      segmentsFrom,
      damage,
      close: () => opener.close(),
    };
  } catch (error) {
    await opener.close();
    throw error;
  }
}

async function readTrusted(
  holders: readonly Tier[],
  backup: BackupSummary,
  trust: Trust,
  allowUnsigned: boolean,
  onBad: (tier: string, problem: string) => void,
  signal: AbortSignal,
): Promise<SignedManifest> {
  let last: unknown;
  for (const tier of holders) {
    try {
      const stored = await readManifest(tier, { database: backup.database, backupId: backup.id }, signal);
      if (!stored) continue;
      requireTrusted(stored.signed, trust, allowUnsigned);
      return stored.signed;
    } catch (error) {
      signal.throwIfAborted();
      last = error;
      onBad(tier.name, messageOf(error));
    }
  }
  throw last ?? new TrivaultError("NOT_FOUND", `Backup ${backup.id} vanished while it was being read.`);
}

/** One segment is read and opened while the one before it is being restored. */
async function* readAhead(
  segments: readonly Segment[],
  fetch: (segment: Segment) => Promise<Uint8Array>,
  totalBytes: number,
  progress: (progress: Progress) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const begin = (segment: Segment | undefined) => {
    const fetched = segment && fetch(segment);
    fetched?.catch(() => undefined); // reported where it is awaited
    return fetched;
  };
  let ahead = begin(segments[0]);
  for (const [index, segment] of segments.entries()) {
    const plain = await ahead;
    ahead = begin(segments[index + 1]);
    if (plain) yield plain;
    bytes += segment.size;
    progress({ bytes, totalBytes, segments: index + 1 });
  }
}

async function prepareRoles(
  source: BackupSource,
  connection: Connection,
  tools: Tools,
  request: RestoreRequest,
): Promise<void> {
  if (request.noOwner) return;
  const globals = request.globals ? await source.globals() : null;
  if (globals) await applyGlobals(connection, tools, globals);
  const missing = await missingRoles(connection, source.details?.roles ?? []);
  if (missing.length === 0) return;
  const names = missing.map((role) => JSON.stringify(role)).join(", ");
  throw new TrivaultError(
    "RESTORE_FAILED",
    `The target server lacks roles that own or use what is in this backup: ${names}. Say --globals to make them from the backup first, or --no-owner to give everything to ${connection.user}.`,
    { permanent: true },
  );
}

async function compare(connection: Connection, details: Details | null): Promise<number | null> {
  const counted = details?.tables.filter((table) => table.rows !== null).length ?? 0;
  if (!details || counted === 0) return null;
  const differences = await compareRows(connection, details);
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
