import {
  backupKey,
  backupPrefix,
  formatBytes,
  MANIFEST,
  type Segment,
  splitKey,
  totalSize,
  TrivaultError,
} from "@trivault/core";
import { bytesSource, storeSource, type Tier } from "@trivault/storage";
import { readManifest, removePartial, type StoredManifest } from "../copies.ts";
import { forEachConcurrently } from "../concurrency.ts";
import { ensureRecoveryNote } from "../recovery-note.ts";
import { abortedReason, runDirectory, throwIfAborted } from "../run-directory.ts";
import { followSegments } from "../segment-feed.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { findTier } from "../tiers.ts";

/** Segments in flight to one tier: enough to keep a link busy while another segment is being verified. */
const IN_FLIGHT = 2;
/** A follower outlives this many take-overs of the stages before it. */
const PATIENCE = 4;

export interface CopyPayload extends BackupRef {
  readonly from: string;
  readonly to: string;
}

export interface CopyResult extends CopyPayload {
  readonly bytes: number;
  readonly segments: number;
  /** Segments that lay there already, verified. */
  readonly skipped: number;
  readonly seconds: number;
}

/**
 * Makes a tier hold what another one holds of a backup: every segment that it lacks, verified where it lies, and the
 * manifest last. Follows a backup in the making. Idempotent; this is also how tiers are reconciled.
 */
export async function copyStage(site: Site, payload: CopyPayload, context: StageContext): Promise<CopyResult> {
  const begun = performance.now();
  const from = findTier(site.tiers, payload.from);
  const to = findTier(site.tiers, payload.to);
  const { signal } = context;
  if (await readManifest(to, payload, signal)) {
    context.note(`${to.name} holds a complete copy already`);
    return { ...payload, bytes: 0, segments: 0, skipped: 0, seconds: 0 };
  }
  try {
    const copied = await copySegments(site, from, to, payload, context);
    await ensureRecoveryNote(to, signal);
    await to.store.put(backupKey(payload.database, payload.backupId, MANIFEST), bytesSource(copied.manifest.bytes), {
      signal,
    });
    const { segments } = copied.manifest.signed.manifest;
    const bytes = totalSize(copied.manifest.signed.manifest);
    context.progress({ bytes, totalBytes: bytes, segments: segments.length });
    context.note(`${to.name} copy complete and verified: ${formatBytes(bytes)}`);
    return {
      ...payload,
      bytes,
      segments: segments.length,
      skipped: copied.skipped,
      seconds: (performance.now() - begun) / 1000,
    };
  } catch (error) {
    // Whatever was noticed first (a segment that vanished, say), a backup that was given up leaves nothing here.
    if (await isGivenUp(site, payload, error)) {
      await removePartial(to, payload);
      await throwIfAborted(runDirectory(site.config, payload.backupId));
    }
    throw error;
  }
}

async function isGivenUp(site: Site, ref: BackupRef, error: unknown): Promise<boolean> {
  if (error instanceof TrivaultError && error.code === "ABANDONED" && error.permanent) return true;
  return (await abortedReason(runDirectory(site.config, ref.backupId))) !== null;
}

async function copySegments(
  site: Site,
  from: Tier,
  to: Tier,
  payload: CopyPayload,
  context: StageContext,
): Promise<{ manifest: StoredManifest; skipped: number }> {
  const run = runDirectory(site.config, payload.backupId);
  const patienceMs = PATIENCE * site.config.worker.takeoverSeconds * 1000;
  const there = await namesOn(to, payload, context.signal);
  let skipped = 0;
  let bytes = 0;
  let segments = 0;
  const moved = (more: number) => {
    bytes += more;
    context.progress({ bytes, segments });
  };
  const manifest = await forEachConcurrently(
    (signal) => followSegments(from, run, payload, { patienceMs, signal }),
    { limit: IN_FLIGHT, signal: context.signal },
    async (segment: Segment, signal) => {
      const key = backupKey(payload.database, payload.backupId, segment.name);
      if (there.has(segment.name)) {
        // Left by an attempt before this one. No manifest vouches for it: verify it, or make it anew.
        if (await to.store.holds(key, segment, { signal })) {
          skipped++;
          segments++;
          moved(segment.size);
          return;
        }
        await to.store.delete(key, { signal });
      }
      await to.store.put(key, storeSource(from.store, key, segment), { signal, onBytes: moved });
      segments++;
    },
  );
  return { manifest, skipped };
}

async function namesOn(tier: Tier, ref: BackupRef, signal: AbortSignal): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { key } of tier.store.list(backupPrefix(ref.database, ref.backupId), { signal })) {
    const file = splitKey(key)?.file;
    if (file !== undefined) names.add(file);
  }
  return names;
}
