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
import { bytesSource, type Tier } from "@trivault/storage";
import { readManifest, removePartial, type StoredManifest } from "../copies.ts";
import { forEachConcurrently } from "../concurrency.ts";
import { ensureRecoveryNote } from "../recovery-note.ts";
import { requireSegments } from "../require-segments.ts";
import { abortedReason, runDirectory, throwIfAborted } from "../run-directory.ts";
import { putSegment } from "../segment-sources.ts";
import { segmentsToCopy } from "../segments-to-copy.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { noteArrival, readUsage } from "../tier-notes.ts";
import { findTier } from "../tiers.ts";
import { isTrusted, siteTrust } from "../trust.ts";

/** Segments in flight to one tier: enough to keep a link busy while another segment is being verified. */
const IN_FLIGHT = 2;

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
 * manifest last. From any tier to any other; from the local one it follows a backup in the making. What the source turns
 * out not to have any more comes from whichever tier has it. Idempotent; this is also how tiers are reconciled and healed.
 */
export async function copyStage(site: Site, payload: CopyPayload, context: StageContext): Promise<CopyResult> {
  const begun = performance.now();
  const from = findTier(site.tiers, payload.from);
  const to = findTier(site.tiers, payload.to);
  const { signal } = context;
  const there = await readManifest(to, payload, signal);
  if (there !== null) {
    await requireOurs(site, to, payload, there);
    context.note(`${to.name} holds a complete copy already`);
    return { ...payload, bytes: 0, segments: 0, skipped: 0, seconds: 0 };
  }
  await refuseOverBudget(site, to);
  try {
    const copied = await copySegments(site, from, to, payload, context);
    await ensureRecoveryNote(to, signal);
    await requireSegments(to, payload, copied.manifest.signed.manifest, signal);
    await to.store.put(backupKey(payload.database, payload.backupId, MANIFEST), bytesSource(copied.manifest.bytes), {
      signal,
    });
    const { manifest } = copied.manifest.signed;
    const bytes = totalSize(manifest);
    await noteArrival(site.config, to.name, manifest);
    context.progress({ bytes, totalBytes: bytes, segments: manifest.segments.length });
    context.note(`${to.name} copy complete and verified: ${formatBytes(bytes)}`);
    return {
      ...payload,
      bytes,
      segments: manifest.segments.length,
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

/** A manifest of somebody else's is no copy: said instead of done. */
async function requireOurs(site: Site, to: Tier, { backupId }: BackupRef, { signed }: StoredManifest): Promise<void> {
  const { trustedKeys } = await siteTrust(site);
  if (isTrusted(signed, trustedKeys)) return;
  throw new TrivaultError(
    "UNTRUSTED",
    `${to.name} holds a manifest of backup ${backupId} that no key known here signed, so the copy cannot be made there. If the key is yours, put it into BACKUP_TRUSTED_KEYS; else find out who writes to ${to.name}, and delete that manifest.`,
    { permanent: true },
  );
}

/** By what the last scan of the tier found: a budget is a line to stop at, not one that is never crossed by a backup. */
async function refuseOverBudget({ config }: Site, to: Tier): Promise<void> {
  const budget = config.tiers.find(({ name }) => name === to.name)?.budget;
  if (budget?.whenFull !== "stop") return;
  const bytes = await readUsage(config, to.name);
  if (bytes === null || bytes <= budget.bytes) return;
  throw new TrivaultError(
    "STORE_FULL",
    `The tier ${to.name} holds ${formatBytes(bytes)}, more than its budget of ${formatBytes(budget.bytes)}, and is configured ` +
      "to take no more then. Keep fewer backups there (its retention), or raise the budget; the copy is made afterwards by itself.",
  );
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
  const there = await namesOn(to, payload, context.signal);
  let skipped = 0;
  let bytes = 0;
  let segments = 0;
  const moved = (more: number) => {
    bytes += more;
    context.progress({ bytes, segments });
  };
  const manifest = await forEachConcurrently(
    (signal) => segmentsToCopy(site, from, to, payload, { ...context, signal }),
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
      await putSegment(site, { from, to, ref: payload, segment }, { ...context, signal }, moved);
      segments++;
    },
  );
  const listed = new Set(manifest.signed.manifest.segments.map(({ name }) => name));
  for (const stray of there.difference(listed)) {
    if (stray !== MANIFEST) await to.store.delete(backupKey(payload.database, payload.backupId, stray), context);
  }
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
