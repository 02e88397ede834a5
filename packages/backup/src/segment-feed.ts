import { backupKey, MANIFEST, type Segment, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { readManifest, type StoredManifest } from "./copies.ts";
import { journalReader } from "./journal.ts";
import { watchLease } from "./lease.ts";
import { followRun, LOOKS_PER_CHECK } from "./poll.ts";
import { databaseOfRun, type RunDirectory, throwIfAborted } from "./run-directory.ts";
import type { BackupRef } from "./site.ts";

/**
 * The segments of a backup on a tier as they appear: at once where the copy is complete, else as the journal of a backup
 * in the making grows. Returns the manifest. Throws ABANDONED: permanently where the backup was given up, transiently
 * where nobody has worked on it for `patienceMs`.
 */
export async function* followSegments(
  tier: Tier,
  run: RunDirectory,
  ref: BackupRef,
  options: { patienceMs: number; signal: AbortSignal },
): AsyncGenerator<Segment, StoredManifest> {
  using follower = followRun(run);
  const journal = journalReader(run.journal);
  const workers = [watchLease(run.dumpLease), watchLease(run.sealLease)];
  const seen = new Set<string>();
  const manifestKey = backupKey(ref.database, ref.backupId, MANIFEST);
  for (let look = 0; ; look++) {
    const check = look % LOOKS_PER_CHECK === 0;
    if (check) await throwIfAborted(run);
    const fresh = await journal.read();
    for (const segment of fresh ?? []) {
      seen.add(segment.name);
      yield segment;
    }
    // The journal goes right after the manifest has come.
    if ((fresh === null || check) && (await tier.store.stat(manifestKey)) !== null) {
      const manifest = await readManifest(tier, ref, { signal: options.signal });
      if (manifest) {
        yield* manifest.signed.manifest.segments.filter(({ name }) => !seen.has(name));
        return manifest;
      }
    }
    if (check) {
      // Asked again, as the manifest may have come, and the run gone, since it was asked for above.
      const gone = (await databaseOfRun(run)) === null && (await tier.store.stat(manifestKey)) === null;
      if (gone) throw lost(ref);
      const silent = await Promise.all(workers.map((worker) => worker.silentMs()));
      if (Math.min(...silent) > options.patienceMs) throw abandoned(ref, options.patienceMs);
    }
    await follower.pause(options.signal);
  }
}

function abandoned({ backupId }: BackupRef, patienceMs: number): TrivaultError {
  const seconds = Math.round(patienceMs / 1000);
  const message = `Nobody has worked on backup ${backupId} for ${seconds} s; is a worker for the queue encrypt running?`;
  return new TrivaultError("ABANDONED", message);
}

function lost({ backupId }: BackupRef): TrivaultError {
  const message = `Backup ${backupId} is neither complete nor in the making.`;
  return new TrivaultError("ABANDONED", message, { permanent: true });
}
