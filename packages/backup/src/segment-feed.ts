import { backupKey, MANIFEST, type Segment, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { readManifest, type StoredManifest } from "./copies.ts";
import { journalReader } from "./journal.ts";
import { watchLease } from "./lease.ts";
import { pause } from "./poll.ts";
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
  const journal = journalReader(run.journal);
  const workers = [watchLease(run.dumpLease), watchLease(run.sealLease)];
  const seen = new Set<string>();
  for (let look = 0; ; look++) {
    if (look % 20 === 0) await throwIfAborted(run);
    for (const segment of await journal.read()) {
      seen.add(segment.name);
      yield segment;
    }
    if ((await tier.store.stat(backupKey(ref.database, ref.backupId, MANIFEST))) !== null) {
      const manifest = await readManifest(tier, ref, options.signal);
      if (manifest) {
        yield* manifest.signed.manifest.segments.filter(({ name }) => !seen.has(name));
        return manifest;
      }
    }
    if (look % 20 === 0) await throwIfGone(run);
    const silent = await Promise.all(workers.map((worker) => worker.silentMs()));
    if (Math.min(...silent) > options.patienceMs) {
      throw new TrivaultError(
        "ABANDONED",
        `Nobody has worked on backup ${ref.backupId} for ${Math.round(options.patienceMs / 1000)} s; is a worker for the queue encrypt running?`,
      );
    }
    await pause(options.signal);
  }
}

async function throwIfGone(run: RunDirectory): Promise<void> {
  if ((await databaseOfRun(run)) !== null) return;
  throw new TrivaultError("ABANDONED", `Backup ${run.backupId} is neither complete nor in the making.`, {
    permanent: true,
  });
}
