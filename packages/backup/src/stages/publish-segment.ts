import { unlink } from "node:fs/promises";
import { backupKey, codeOf, type Segment, TrivaultError } from "@trivault/core";
import { bytesSource } from "@trivault/storage";
import { appendJournal, noteSealing, readSealing } from "../journal.ts";
import type { Lease } from "../lease.ts";
import type { RunDirectory } from "../run-directory.ts";
import type { BackupRef, Site, StageContext } from "../site.ts";

/** What the parts of the encrypt stage share. */
export interface Sealing {
  readonly site: Site;
  readonly run: RunDirectory;
  readonly ref: BackupRef;
  readonly context: StageContext;
  readonly lease: Lease;
  readonly signal: AbortSignal;
}

/** By name, those that the journal holds. */
export type Sealed = Map<string, Segment>;

export interface NewSegment {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/** The order matters: bytes, journal, and only then the plaintext goes. Null for a segment that is journaled already. */
export async function publishSegment(
  work: Sealing,
  file: string,
  sealed: NewSegment | null,
  segments: Sealed,
): Promise<void> {
  if (sealed !== null) {
    try {
      const segment = await store(work, sealed);
      await work.lease.check();
      await appendJournal(work.run.journal, segment);
      segments.set(segment.name, segment);
    } finally {
      sealed.release();
    }
    const bytes = [...segments.values()].reduce((sum, { size }) => sum + size, 0);
    work.context.progress({ bytes, segments: segments.size });
  }
  await unlink(file);
}

/**
 * Stores a segment, and returns what lies under its name now. What lies there is never replaced or deleted while the backup
 * can still be completed: a worker may be stopped between any two steps, another take its work over, and the first wake up
 * again, so that no look beforehand makes a deletion safe. Instead each notes what it is about to store, and whoever finds
 * the name taken goes on with what lies there, if it is what one of them noted. So a journal line, whoever wrote it, is true.
 */
async function store({ site, run, ref, signal }: Sealing, { segment, bytes }: NewSegment): Promise<Segment> {
  const local = site.tiers[0].store;
  const key = backupKey(ref.database, ref.backupId, segment.name);
  await noteSealing(run.sealing, segment);
  try {
    await local.put(key, bytesSource(bytes, segment.sha256), { signal });
    return segment;
  } catch (error) {
    if (codeOf(error) !== "EXISTS") throw error;
    for (const noted of await readSealing(run.sealing, segment.name)) {
      if (noted.plainSha256 === segment.plainSha256 && (await local.holds(key, noted, { signal }))) return noted;
    }
    throw new TrivaultError(
      "CORRUPT",
      `${local.description} holds bytes under ${key} that no worker of this site sealed. The backup is given up, and the next one is made under another id; look at who else writes there.`,
      { permanent: true, cause: error },
    );
  }
}
