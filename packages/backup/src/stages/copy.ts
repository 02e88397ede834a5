import { backupKey, formatBytes, MANIFEST, type Segment, totalSize, TrivaultError } from "@trivault/core";
import { bytesSource, type Tier } from "@trivault/storage";
import { removePartial, type StoredManifest } from "../copies.ts";
import { forEachConcurrently } from "../concurrency.ts";
import { ensureRecoveryNote } from "../recovery-note.ts";
import { requireSegments } from "../require-segments.ts";
import { abortedReason, runDirectory, throwIfAborted } from "../run-directory.ts";
import { putSegment } from "../segment-sources.ts";
import { segmentsToCopy } from "../segments-to-copy.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { readStanding } from "../standing.ts";
import { noteArrival, readUsage } from "../tier-notes.ts";
import { findTier } from "../tiers.ts";
import { siteTrust } from "../trust.ts";
import { seemsWhole, sizesOn } from "../whole-copy.ts";

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
  /** Where a bad copy lay there: what it was, and how many of its objects were put right. Null where there was none. */
  readonly repaired: { readonly was: "damaged" | "untrusted"; readonly objects: number } | null;
}

/**
 * Makes a tier hold what another one holds of a backup: every segment that it lacks, verified where it lies, and the
 * manifest last. From any tier to any other; from the local one it follows a backup in the making. What the source turns
 * out not to have any more comes from whichever tier has it. Idempotent; this is also how tiers are reconciled and healed.
 *
 * A copy with a manifest that lies there already is made good in its place: each segment that is proven wrong gives way to
 * verified bytes, and a manifest that no trusted key signed to a trusted one, when all else is right. Nothing is removed
 * before that, so the copy is never worth less than it was. What cannot be read is not touched.
 */
export async function copyStage(site: Site, payload: CopyPayload, context: StageContext): Promise<CopyResult> {
  const begun = performance.now();
  const from = findTier(site.tiers, payload.from);
  const to = findTier(site.tiers, payload.to);
  const { signal } = context;
  const there = await readStanding(to, payload, (await siteTrust(site)).trustedKeys, signal);
  if (there.is === "trusted" && (await seemsWhole(site.config, to, payload, there.stored, signal))) {
    context.note(`${to.name} holds a complete copy already`);
    return { ...payload, bytes: 0, segments: 0, skipped: 0, seconds: 0, repaired: null };
  }
  if (there.is === "absent") await refuseOverBudget(site, to);
  try {
    const own = there.is === "trusted" ? there.stored : null;
    const copied = await copySegments(site, { from, to, payload, own }, context);
    const key = backupKey(payload.database, payload.backupId, MANIFEST);
    const source = bytesSource(copied.manifest.bytes);
    if (there.is === "absent") await ensureRecoveryNote(to, signal);
    await requireSegments(to, payload, copied.manifest.signed.manifest, signal);
    if (there.is === "absent") await to.store.put(key, source, { signal });
    else if (there.is === "bad") await to.store.replace(key, source, { signal });
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
      repaired:
        there.is === "absent"
          ? null
          : there.is === "bad"
            ? { was: "untrusted", objects: copied.changed + 1 }
            : { was: "damaged", objects: copied.changed },
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

/** By what the last scan of the tier found: a budget is a line to stop at, not one that is never crossed by a backup. */
async function refuseOverBudget({ config }: Site, to: Tier): Promise<void> {
  const budget = config.tiers.find(({ name }) => name === to.name)?.budget;
  if (budget?.whenFull !== "stop") return;
  const bytes = await readUsage(config, to.name);
  if (bytes === null || bytes <= budget.bytes) return;
  throw new TrivaultError(
    "STORE_FULL",
    `The tier ${to.name} holds ${formatBytes(bytes)}, more than its budget of ${formatBytes(budget.bytes)}, and is configured ` +
      `to take no more then. Keep fewer backups there (its retention), or raise tiers.${to.name}.budget in ${config.configFile}; the copy is made afterwards by itself.`,
  );
}

async function isGivenUp(site: Site, ref: BackupRef, error: unknown): Promise<boolean> {
  if (error instanceof TrivaultError && error.code === "ABANDONED" && error.permanent) return true;
  return (await abortedReason(runDirectory(site.config, ref.backupId))) !== null;
}

interface Route {
  readonly from: Tier;
  readonly to: Tier;
  readonly payload: CopyPayload;
  /** The manifest that `to` has, where it is to be trusted. */
  readonly own: StoredManifest | null;
}

/** `changed`: objects that were put, replaced or removed. */
async function copySegments(
  site: Site,
  { from, to, payload, own }: Route,
  context: StageContext,
): Promise<{ manifest: StoredManifest; skipped: number; changed: number }> {
  const there = new Set((await sizesOn(to, payload, context.signal)).keys());
  let skipped = 0;
  let changed = 0;
  let bytes = 0;
  let segments = 0;
  const moved = (more: number) => {
    bytes += more;
    context.progress({ bytes, segments });
  };
  const manifest = await forEachConcurrently(
    (signal) => (own ? segmentsOf(own) : segmentsToCopy(site, from, to, payload, { ...context, signal })),
    { limit: IN_FLIGHT, signal: context.signal },
    async (segment: Segment, signal) => {
      const key = backupKey(payload.database, payload.backupId, segment.name);
      const over = there.has(segment.name);
      // Left by an attempt before this one, or in doubt: verify it, or put the right bytes in its place.
      if (over && (await to.store.holds(key, segment, { signal }))) {
        skipped++;
        segments++;
        moved(segment.size);
        return;
      }
      await putSegment(site, { from, to, ref: payload, segment, over }, { ...context, signal }, moved);
      segments++;
      changed++;
    },
  );
  const listed = new Set(manifest.signed.manifest.segments.map(({ name }) => name));
  for (const stray of there.difference(listed)) {
    if (stray === MANIFEST) continue;
    await to.store.delete(backupKey(payload.database, payload.backupId, stray), context);
    changed++;
  }
  return { manifest, skipped, changed };
}

async function* segmentsOf(manifest: StoredManifest): AsyncGenerator<Segment, StoredManifest> {
  yield* manifest.signed.manifest.segments;
  return manifest;
}
