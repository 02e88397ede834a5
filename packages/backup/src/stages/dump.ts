import { rename, statfs, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { background, findDatabase, formatBytes, type Selection, TrivaultError } from "@trivault/core";
import {
  type Connection,
  type DumpProcess,
  encodeGlobals,
  openSnapshot,
  parseDatabaseUrl,
  requireTools,
  type Snapshot,
  startDump,
  type Tools,
} from "@trivault/postgres";
import { acquireLease, type Lease } from "../lease.ts";
import { followRun, LOOKS_PER_CHECK, nudge } from "../poll.ts";
import {
  createRun,
  type Dumped,
  endRun,
  markDumped,
  type RunDirectory,
  runDirectory,
  throwIfAborted,
} from "../run-directory.ts";
import { siteError } from "../site-errors.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { ensureSpool, MAX_WAITING_PARTS, readSpool } from "../spool.ts";
import { VERSION } from "../version.ts";

/** The spool is looked at again before a dump of this speed has filled it: 640 MiB a second. */
const BYTES_PER_MS = (640 * 1024 * 1024) / 1000;
const SHORTEST_PAUSE_MS = 25;
/** A dump that writes nothing for so long, while it is not paused, hangs. pg_dump itself gives up on locks before. */
const STALLED_MS = 30 * 60_000;

export interface DumpPayload extends BackupRef {
  /** The time that the schedule named, where it was the schedule that asked. */
  readonly slot?: string | undefined;
}

export interface DumpResult extends BackupRef {
  /** Bytes of the compressed dump. */
  readonly bytes: number;
  readonly seconds: number;
  /** The sum over all tables that were counted; null where none was. */
  readonly rows: number | null;
}

/**
 * Dumps one database into the spool, as compressed plaintext parts that the encrypt stage takes away while this one goes
 * on. Whatever fails, the run is marked aborted and can never get a manifest; a retry is a new backup id.
 */
export async function dumpStage(site: Site, dump: DumpPayload, context: StageContext): Promise<DumpResult> {
  const { slot: _slot, ...ref } = dump;
  const begun = performance.now();
  const { connection, selection } = sourceOf(site, ref.database);
  await using snapshot = disposable(await openSnapshot(connection, context.signal));
  const tools = await requireTools(snapshot.server.major, site.config.pgBinDir);
  await checkSpool(site);
  context.note(
    `${ref.backupId}: dumping ${ref.database} (PostgreSQL ${snapshot.server.version}) with pg_dump ${tools.pgDump.version}`,
  );
  const dumped = await inRun(site, dump, context, (run, signal) =>
    dumpIntoSpool({ site, run, connection, selection, tools, snapshot, signal, context }),
  );
  return { ...ref, ...dumped, seconds: (performance.now() - begun) / 1000 };
}

/** Makes the run and keeps its lease while `work` is done; where that fails, the run is fenced off and its plaintext gone. */
export async function inRun<T>(
  site: Site,
  { slot, ...ref }: DumpPayload,
  context: StageContext,
  work: (run: RunDirectory, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const run = runDirectory(site.config, ref.backupId);
  const lost = new AbortController();
  let lease: Lease | null = null;
  try {
    await createRun(run, ref.database, slot);
    lease = await acquireLease(run.dumpLease, {
      takeoverMs: site.config.worker.takeoverSeconds * 1000,
      signal: context.signal,
      onLost: (error) => lost.abort(error),
    });
    await context.start({ ...ref, stage: "encrypt" });
    return await work(run, AbortSignal.any([context.signal, lost.signal]));
  } catch (error) {
    const failure = siteError(site.config, error);
    await endRun(run, failure instanceof TrivaultError ? failure.message : "the dump failed");
    throw failure;
  } finally {
    await lease?.release();
  }
}

interface Work {
  readonly site: Site;
  readonly run: RunDirectory;
  readonly connection: Connection;
  readonly selection: Selection;
  readonly tools: Tools;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
  readonly context: StageContext;
}

async function dumpIntoSpool(work: Work): Promise<Pick<DumpResult, "bytes" | "rows">> {
  const { site, run, connection, selection, tools, snapshot, signal, context } = work;
  const startedAt = site.now().toISOString();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const dump = await startDump({
    connection,
    tools,
    snapshotId: snapshot.snapshotId,
    selection,
    directory: run.spool,
    segmentSize: site.config.segmentSize,
    signal: either,
    log: context.log,
  });
  // All at once: the exact row counts come from the dump's own snapshot, while it runs.
  const following = background(followSpool(dump, work, either));
  const describing = background(writeExtras(work, either));
  try {
    const [{ extras, rows }] = await Promise.all([describing, dump.done, following]);
    const last = await readSpool(run);
    const lastPart = last.parts.at(-1);
    if (lastPart === undefined)
      throw new TrivaultError("DUMP_FAILED", "pg_dump ended without an error and without any output.");
    const dumped: Dumped = {
      parts: lastPart + 1,
      lastPartSize: last.lastSize,
      startedAt,
      tools: { trivault: VERSION, pg_dump: tools.pgDump.version, zstd: tools.zstd.version },
      server: snapshot.server,
      extras,
    };
    await throwIfAborted(run);
    await markDumped(run, dumped);
    const bytes = lastPart * site.config.segmentSize + last.lastSize;
    context.progress({ bytes, totalBytes: bytes, segments: dumped.parts });
    context.note(`dump complete: ${formatBytes(bytes)} compressed, in ${dumped.parts} segments`);
    return { bytes, rows };
  } finally {
    stop.abort(new TrivaultError("CANCELLED", "The dump was stopped."));
    // The spool goes next, and must not be written to any more.
    await Promise.allSettled([dump.done, following, describing]);
  }
}

/** Reports progress, and holds the dump back while too many parts wait to be sealed. Ends with the dump. */
async function followSpool(dump: DumpProcess, { site, run, context }: Work, signal: AbortSignal): Promise<void> {
  using follower = followRun(run);
  const ended = new AbortController();
  const end = () => ended.abort();
  dump.done.then(end, end);
  const either = AbortSignal.any([signal, ended.signal]);
  let held = false;
  let seen = -1;
  let last = 0;
  let movedAt = performance.now();
  for (let look = 0; !ended.signal.aborted; look++) {
    const { parts, lastSize } = await readSpool(run);
    const full = parts.length > MAX_WAITING_PARTS;
    if (full && !held) dump.pause();
    if (!full && held) dump.resume();
    held = full;
    if ((parts.at(-1) ?? 0) > last) nudge(run); // a part is complete
    last = parts.at(-1) ?? last;
    const bytes = (parts.at(-1) ?? 0) * site.config.segmentSize + lastSize;
    if (bytes !== seen || held) movedAt = performance.now();
    seen = bytes;
    if (performance.now() - movedAt > STALLED_MS) {
      throw new TrivaultError(
        "DUMP_FAILED",
        "The dump wrote nothing for 30 minutes and was stopped; see what blocks it in pg_stat_activity.",
      );
    }
    // Twice a second: another worker may have fenced this one off.
    if (look % LOOKS_PER_CHECK === 0) {
      await throwIfAborted(run);
      context.progress({ bytes, segments: parts.at(-1) ?? 0 });
    }
    const room = Math.max(0, MAX_WAITING_PARTS + 1 - parts.length) * site.config.segmentSize;
    await follower.pause(either, Math.max(SHORTEST_PAUSE_MS, room / BYTES_PER_MS)).catch((error: unknown) => {
      if (!ended.signal.aborted) throw error;
    });
  }
}

/** Roles and tablespaces, and what describes the data: small plaintext files beside the parts. */
async function writeExtras(
  { site, run, selection, snapshot, context }: Work,
  signal: AbortSignal,
): Promise<Pick<Dumped, "extras"> & Pick<DumpResult, "rows">> {
  const extras: Dumped["extras"] = [];
  const read = await snapshot.globals(signal);
  if ("skipped" in read) context.note(`roles and tablespaces are not in this backup: ${read.skipped}`);
  else {
    await writeExtra(run, "globals.zst", encodeGlobals(read.globals));
    extras.push("globals.zst");
  }
  const details = await snapshot.details({ rowCounts: site.config.rowCounts, selection, signal });
  await writeExtra(run, "details.zst", Buffer.from(JSON.stringify(details)));
  extras.push("details.zst");
  const counts = details.tables.map(({ rows }) => rows).filter((rows) => rows !== null);
  return { extras, rows: counts.length === 0 ? null : counts.reduce((sum, rows) => sum + rows, 0) };
}

async function writeExtra(run: RunDirectory, name: string, content: Uint8Array): Promise<void> {
  const file = path.join(run.spool, name);
  await writeFile(`${file}.tmp`, await promisify(zstdCompress)(content), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

function sourceOf(site: Site, database: string): { connection: Connection; selection: Selection } {
  const configured = findDatabase(site.config, database);
  if (configured)
    return { connection: parseDatabaseUrl(configured.url, configured.urlSetting), selection: configured.selection };
  const known = site.config.databases.map(({ name }) => JSON.stringify(name)).join(", ");
  // Not for good: this worker may be a moment behind a configuration file that has changed.
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(database)} is configured here; there is ${known || "none"}.`,
  );
}

/** A spool that cannot hold a backup's bounded share fails here, by name, and not as a broken pipe later. */
export async function checkSpool(site: Site): Promise<void> {
  const { spoolDir, segmentSize } = site.config;
  await ensureSpool(site.config);
  const { bavail, bsize } = await statfs(spoolDir);
  const needed = (MAX_WAITING_PARTS + 1) * segmentSize;
  if (bavail * bsize >= needed) return;
  throw new TrivaultError(
    "STORE_FULL",
    `The spool ${spoolDir} has ${formatBytes(bavail * bsize)} free, and a backup needs ${formatBytes(needed)} there ` +
      `(5 segments): free some, set BACKUP_SPOOL_DIR to a larger tmpfs, or lower BACKUP_SEGMENT_SIZE.`,
  );
}

function disposable(snapshot: Snapshot): Snapshot & AsyncDisposable {
  return Object.assign(snapshot, { [Symbol.asyncDispose]: () => snapshot.close() });
}
