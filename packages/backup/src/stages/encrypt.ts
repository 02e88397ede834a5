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
  totalSize,
  TrivaultError,
} from "@trivault/core";
import { checkRecipients, signManifest } from "@trivault/crypto";
import { confirmedSource } from "@trivault/storage";
import { readManifest, removeTemporary } from "../copies.ts";
import { giveUp } from "../give-up.ts";
import { acquireLease } from "../lease.ts";
import { nudge } from "../poll.ts";
import { ensureRecoveryNote } from "../recovery-note.ts";
import { requireSegments } from "../require-segments.ts";
import {
  abandoned,
  abortedReason,
  type Dumped,
  databaseOfRun,
  removeRun,
  type RunDirectory,
  runDirectory,
  throwIfAborted,
} from "../run-directory.ts";
import { siteError } from "../site-errors.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";
import { noteArrival } from "../tier-notes.ts";
import type { Sealing } from "./publish-segment.ts";
import { sealParts } from "./seal-parts.ts";

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
    nudge(run);
    context.note(`sealed: ${manifest.segments.length} segments; the manifest is written`);
    return result(ref, manifest, begun);
  } catch (error) {
    // A dump that failed takes its spool away: a part that is missing is then only the consequence.
    const reason = await abortedReason(run);
    const failure = reason === null ? error : abandoned(reason);
    if (isPermanent(failure))
      await giveUp(site, ref, messageOf(failure)).catch((cause: unknown) =>
        context.note(`what is left could not be removed: ${messageOf(cause)}`),
      );
    throw siteError(site.config, failure);
  }
}

async function sealAll(site: Site, run: RunDirectory, ref: BackupRef, context: StageContext): Promise<Manifest> {
  const lost = new AbortController();
  const lease = await acquireLease(run.sealLease, {
    takeoverMs: site.config.worker.takeoverSeconds * 1000,
    signal: context.signal,
    onLost: (error) => lost.abort(error),
  });
  try {
    // What the worker before us was about to publish has no file to publish any more: it can only find out.
    await removeTemporary(site.tiers[0], ref);
    const work = { site, run, ref, context, lease, signal: AbortSignal.any([context.signal, lost.signal]) };
    const { segments, dumped } = await sealParts(work, isEncrypted(site));
    return await publishManifest(work, manifestOf(work, [...segments.values()], dumped));
  } finally {
    await lease.release();
  }
}

function manifestOf({ site, ref }: Sealing, segments: Manifest["segments"], dumped: Dumped): Manifest {
  const { encryption } = site.config;
  return {
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
}

/**
 * Commits the backup. That nobody took it over or gave it up is looked at when the manifest lies there under its temporary
 * name: whoever fences this worker off later removes that file, and whoever did so before is seen.
 */
async function publishManifest({ site, run, ref, context, lease, signal }: Sealing, manifest: Manifest) {
  const [local] = site.tiers;
  const signed = encodeManifest(signManifest(manifest, await site.signingKey()));
  await ensureRecoveryNote(local, signal);
  const source = confirmedSource(signed, async () => {
    await requireSegments(local, ref, manifest, signal);
    await lease.check();
    await throwIfAborted(run);
  });
  try {
    await local.store.put(backupKey(ref.database, ref.backupId, MANIFEST), source, { signal });
  } catch (error) {
    const stored = codeOf(error) === "EXISTS" ? await readManifest(local, ref, { signal }) : null;
    if (stored === null) throw error;
    return stored.signed.manifest; // by another worker, of the same segments
  }
  const bytes = totalSize(manifest);
  context.progress({ bytes, totalBytes: bytes, segments: manifest.segments.length });
  context.note(`local copy complete: ${formatBytes(bytes)}`);
  return manifest;
}

function isEncrypted(site: Site): boolean {
  const { encryption } = site.config;
  if (encryption.mode === "age") checkRecipients(encryption.recipients);
  return encryption.mode === "age";
}

function result(ref: BackupRef, manifest: Manifest, begun: number): EncryptResult {
  const seconds = (performance.now() - begun) / 1000;
  return { ...ref, bytes: totalSize(manifest), segments: manifest.segments.length, seconds };
}
