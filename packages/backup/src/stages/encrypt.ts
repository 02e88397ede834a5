import { stat, unlink } from "node:fs/promises";
import path from "node:path";
import {
  backupKey,
  codeOf,
  encodeManifest,
  findDatabase,
  formatBytes,
  isPermanent,
  MANIFEST,
  type Manifest,
  messageOf,
  type Segment,
  segmentName,
  TrivaultError,
} from "@trivault/core";
import { checkRecipients, signManifest } from "@trivault/crypto";
import { bytesSource } from "@trivault/storage";
import { readManifest, removePartial } from "../copies.ts";
import { appendJournal, journalReader } from "../journal.ts";
import { acquireLease, type Lease, watchLease } from "../lease.ts";
import { LOOKS_PER_CHECK, pause } from "../poll.ts";
import { ensureRecoveryNote } from "../recovery-note.ts";
import { requireSegments } from "../require-segments.ts";
import {
  abandoned,
  abortedReason,
  type Dumped,
  databaseOfRun,
  markAborted,
  readDumped,
  removeRun,
  type RunDirectory,
  runDirectory,
  throwIfAborted,
} from "../run-directory.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { partPath, readSpool } from "../spool.ts";
import { noteArrival } from "../tier-notes.ts";

export interface EncryptResult extends BackupRef {
  /** Bytes as they lie on the local tier. */
  readonly bytes: number;
  readonly segments: number;
  readonly seconds: number;
}

/**
 * Follows the spool: seals each part, publishes it in the local tier, journals it, deletes the plaintext; after the last
 * one it writes the signed manifest. May be killed anywhere and run again: what the journal holds is done.
 */
export async function encryptStage(site: Site, ref: BackupRef, context: StageContext): Promise<EncryptResult> {
  const begun = performance.now();
  const run = runDirectory(site.config, ref.backupId);
  const [local] = site.tiers;
  const wanted = findDatabase(site.config, ref.database)?.tiers;
  for (const tier of site.tiers.slice(1)) {
    if (wanted && !wanted.includes(tier.name)) continue;
    await context.start({ ...ref, stage: "copy", from: local.name, to: tier.name });
  }
  const existing = await readManifest(local, ref);
  if (existing) {
    await removeRun(run); // killed between the manifest and the tidying-up
    return result(ref, existing.signed.manifest, begun);
  }
  if ((await databaseOfRun(run)) === null) {
    throw new TrivaultError("ABANDONED", "This backup is gone: its run was given up and swept.", { permanent: true });
  }
  try {
    const manifest = await sealAll(site, run, ref, context);
    await noteArrival(site.config, local.name, manifest);
    await removeRun(run);
    context.note(`sealed: ${manifest.segments.length} segments; the manifest is written`);
    return result(ref, manifest, begun);
  } catch (error) {
    // A dump that failed takes its spool away: a part that is missing is then only the consequence.
    const reason = await abortedReason(run);
    const failure = reason === null ? error : abandoned(reason);
    if (isPermanent(failure)) await giveUp(site, ref, messageOf(failure));
    throw failure;
  }
}

/**
 * Fences a backup off for good, for when encryption cannot succeed: the dump that waits for it ends, and so do the copies.
 * Idempotent; does nothing to a complete backup.
 */
export async function giveUp(site: Site, ref: BackupRef, reason: string): Promise<void> {
  await markAborted(runDirectory(site.config, ref.backupId), reason);
  await removePartial(site.tiers[0], ref);
}

async function sealAll(site: Site, run: RunDirectory, ref: BackupRef, context: StageContext): Promise<Manifest> {
  const lost = new AbortController();
  const lease = await acquireLease(run.sealLease, {
    takeoverMs: site.config.worker.takeoverSeconds * 1000,
    signal: context.signal,
    onLost: (error) => lost.abort(error),
  });
  try {
    const work: Work = { site, run, ref, context, lease, signal: AbortSignal.any([context.signal, lost.signal]) };
    const { segments, dumped } = await sealParts(work);
    for (const name of dumped.extras) {
      const kind = name === "globals.zst" ? "globals" : "details";
      await sealOne(work, path.join(run.spool, name), segmentName(kind, null, isEncrypted(site)), segments);
    }
    return await publishManifest(work, [...segments.values()], dumped);
  } finally {
    await lease.release();
  }
}

interface Work {
  readonly site: Site;
  readonly run: RunDirectory;
  readonly ref: BackupRef;
  readonly context: StageContext;
  readonly lease: Lease;
  readonly signal: AbortSignal;
}

type Sealed = Map<string, Segment>;

async function sealParts(work: Work): Promise<{ segments: Sealed; dumped: Dumped }> {
  const { site, run } = work;
  const done = (await journalReader(run.journal).read()) ?? [];
  const segments: Sealed = new Map(done.map((segment) => [segment.name, segment]));
  const parts = readyParts(work, segments);
  let publishing = Promise.resolve();
  try {
    for (;;) {
      const next = await parts.next();
      if (next.done) {
        await publishing;
        return { segments, dumped: next.value };
      }
      const file = partPath(run, next.value);
      const name = segmentName("data", next.value + 1, isEncrypted(site));
      const sealed = segments.has(name) ? null : await sealNew(work, file, name);
      await publishing.catch((error: unknown) => {
        sealed?.release();
        throw error;
      });
      // Published while the next part is being sealed.
      publishing = publish(work, file, sealed, segments);
    }
  } finally {
    // Where it failed, the error is on its way already; here it only must not run on behind the stage's back.
    await Promise.allSettled([publishing, parts.return({} as Dumped)]);
  }
}

/** Numbers of complete parts, in order, as the dump completes them; returns what the dump said when it was through. */
async function* readyParts({ site, run, signal, context }: Work, segments: Sealed): AsyncGenerator<number, Dumped> {
  const dumpLease = watchLease(run.dumpLease);
  const takeoverMs = site.config.worker.takeoverSeconds * 1000;
  let next = [...segments.keys()].filter((name) => name.startsWith("data-")).length;
  for (const left of (await readSpool(run)).parts) {
    if (left < next) await unlink(partPath(run, left)); // journaled by a worker that was killed before it tidied up
  }
  for (let look = 0; ; look++) {
    const dumped = await readDumped(run); // before the spool is read: once it is there, so are all parts
    const { parts } = await readSpool(run);
    const last = parts.at(-1) ?? -1;
    const complete = dumped === null ? last : dumped.parts;
    for (; next < complete; next++) {
      await checkPart(site, run, next, dumped);
      yield next;
    }
    if (dumped !== null) return dumped;
    if (look % LOOKS_PER_CHECK === 0) {
      await throwIfAborted(run);
      if ((await dumpLease.silentMs()) > takeoverMs) {
        await markAborted(run, "the worker that dumped it died or was cut off");
        await throwIfAborted(run);
      }
    }
    await pause(signal).catch((error: unknown) => {
      throw signal.reason ?? context.signal.reason ?? error;
    });
  }
}

/** `split` writes every part but the last to exactly the segment size; anything else is not what the dump wrote. */
async function checkPart(site: Site, run: RunDirectory, number: number, dumped: Dumped | null): Promise<void> {
  const file = partPath(run, number);
  const { size } = await stat(file).catch((cause: unknown) => {
    throw lostFromSpool(file, cause);
  });
  const expected = dumped !== null && number === dumped.parts - 1 ? dumped.lastPartSize : site.config.segmentSize;
  if (size === expected) return;
  await markAborted(run, `part ${number} of the spool is damaged`);
  await throwIfAborted(run);
}

function lostFromSpool(file: string, cause: unknown): TrivaultError {
  const message = `${path.basename(file)} is missing from the spool (was its tmpfs emptied?); the dump must be made again.`;
  return new TrivaultError("CORRUPT", message, { permanent: true, cause });
}

interface NewSegment {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

async function sealNew({ site, signal }: Work, file: string, name: string): Promise<NewSegment> {
  const sealed = await site
    .sealer()
    .seal(file, signal)
    .catch((cause: unknown) => {
      throw codeOf(cause) === "NOT_FOUND" ? lostFromSpool(file, cause) : cause;
    });
  const { bytes, size, sha256, plainSize, plainSha256, release } = sealed;
  return { segment: { name, size, sha256, plainSize, plainSha256 }, bytes, release };
}

async function sealOne(work: Work, file: string, name: string, segments: Sealed): Promise<void> {
  if (!segments.has(name)) await publish(work, file, await sealNew(work, file, name), segments);
}

/** The order matters: bytes, journal, and only then the plaintext goes. */
async function publish(work: Work, file: string, sealed: NewSegment | null, segments: Sealed): Promise<void> {
  if (sealed !== null) {
    try {
      await putSealed(work, sealed);
      await work.lease.check();
      await appendJournal(work.run.journal, sealed.segment);
    } finally {
      sealed.release();
    }
    segments.set(sealed.segment.name, sealed.segment);
    const bytes = [...segments.values()].reduce((sum, segment) => sum + segment.size, 0);
    work.context.progress({ bytes, segments: segments.size });
  }
  await unlink(file);
}

async function putSealed({ site, ref, lease, signal }: Work, { segment, bytes }: NewSegment): Promise<void> {
  const { store } = site.tiers[0];
  const key = backupKey(ref.database, ref.backupId, segment.name);
  const source = bytesSource(bytes, segment.sha256);
  try {
    await store.put(key, source, { signal });
  } catch (error) {
    if (codeOf(error) !== "EXISTS") throw error;
    // Published by a worker that died before it journaled it. Nobody has read it, and its hash is not known: seal it anew.
    await lease.check();
    await store.delete(key, { signal });
    await store.put(key, source, { signal });
  }
}

async function publishManifest(
  { site, run, ref, context, lease, signal }: Work,
  segments: Segment[],
  dumped: Dumped,
): Promise<Manifest> {
  const { encryption } = site.config;
  const manifest: Manifest = {
    format: "trivault-backup",
    version: 1,
    id: ref.backupId,
    database: ref.database,
    startedAt: dumped.startedAt,
    completedAt: site.now().toISOString(),
    tools: dumped.tools,
    server: dumped.server,
    ...(dumped.content && { content: dumped.content }),
    encryption: encryption.mode,
    recipients: encryption.mode === "age" ? [...encryption.recipients] : [],
    segments,
  };
  const signed = signManifest(manifest, await site.signingKey());
  const [local] = site.tiers;
  await ensureRecoveryNote(local, signal);
  await requireSegments(local, ref, manifest, signal);
  await lease.check();
  await throwIfAborted(run);
  await local.store.put(backupKey(ref.database, ref.backupId, MANIFEST), bytesSource(encodeManifest(signed)), {
    signal,
  });
  const bytes = segments.reduce((sum, segment) => sum + segment.size, 0);
  context.progress({ bytes, totalBytes: bytes, segments: segments.length });
  context.note(`local copy complete: ${formatBytes(bytes)}`);
  return manifest;
}

function isEncrypted(site: Site): boolean {
  const { encryption } = site.config;
  if (encryption.mode === "age") checkRecipients(encryption.recipients);
  return encryption.mode === "age";
}

function result(ref: BackupRef, manifest: Manifest, begun: number): EncryptResult {
  const bytes = manifest.segments.reduce((sum, segment) => sum + segment.size, 0);
  return { ...ref, bytes, segments: manifest.segments.length, seconds: (performance.now() - begun) / 1000 };
}
