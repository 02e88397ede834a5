import { stat, unlink } from "node:fs/promises";
import path from "node:path";
import { backupKey, codeOf, type Segment, TrivaultError } from "@trivault/core";
import type { SealedSegment } from "@trivault/crypto";
import { appendJournal, noteSealing, readSealing } from "../journal.ts";
import type { Lease } from "../lease.ts";
import { nudge } from "../poll.ts";
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

/** A file of the spool, and the segment that it becomes. */
export interface Part {
  readonly file: string;
  readonly name: string;
}

export interface Turn {
  /** The segment before this one; nothing is published, and no line journaled, out of order. */
  readonly before: Promise<void>;
  /** This one is sealed, and the one before it is through: the next may be begun. */
  readonly onSealed: () => void;
}

/** The order matters: bytes, journal, and only then the plaintext goes. */
export async function publishSegment(work: Sealing, part: Part, segments: Sealed, turn: Turn): Promise<void> {
  if (segments.has(part.name)) await turn.before;
  else {
    const segment = await store(work, part, turn);
    await work.lease.check();
    await appendJournal(work.run.journal, segment);
    nudge(work.run); // the copies
    segments.set(segment.name, segment);
    const bytes = [...segments.values()].reduce((sum, { size }) => sum + size, 0);
    work.context.progress({ bytes, segments: segments.size });
  }
  await unlink(part.file);
  nudge(work.run); // the dump, which may wait for room
}

/**
 * Seals a part into the local tier, and returns what lies under its name now. What lies there is never replaced or deleted while
 * the backup can still be completed: a worker may be stopped between any two steps, another take its work over, and the first
 * wake up again, so that no look beforehand makes a deletion safe. Instead each notes what it is about to publish, and whoever
 * finds the name taken goes on with what lies there, if it is what one of them noted. So a journal line, whoever wrote it, is true.
 */
async function store(work: Sealing, { file, name }: Part, turn: Turn): Promise<Segment> {
  const { site, run, ref, signal } = work;
  const local = site.tiers[0].store;
  if (!local.create) throw new RangeError("the first tier is the local one");
  const key = backupKey(ref.database, ref.backupId, name);
  const { size: plainSize } = await stat(file).catch((cause: unknown) => missing(work, file, cause));
  let sealed: Segment | null = null;
  let failure: unknown;
  const write = async (target: number) => {
    const listed = await seal(work, file, target).catch((error: unknown) => {
      failure = error;
      throw error;
    });
    const segment = { name, ...listed };
    await turn.before;
    turn.onSealed();
    await noteSealing(run.sealing, segment);
    sealed = segment;
  };
  try {
    await local.create(key, write, { signal });
    if (sealed === null) throw new RangeError("a segment was published that nobody sealed");
    return sealed;
  } catch (error) {
    // A thread that died says nothing of the disk, which the store would blame.
    if (failure !== undefined && codeOf(failure) === undefined) throw failure;
    if (codeOf(error) !== "EXISTS") throw error;
    await turn.before;
    for (const noted of await readSealing(run.sealing, name)) {
      if (noted.plainSize === plainSize && (await local.holds(key, noted, { signal }))) return noted;
    }
    await work.lease.check(); // whoever took it over may have completed it, and the notes are gone
    throw new TrivaultError(
      "CORRUPT",
      `${local.description} holds bytes under ${key} that no worker of this site sealed. The backup is given up, and the next one is made under another id; look at who else writes there.`,
      { permanent: true, cause: error },
    );
  }
}

async function seal(work: Sealing, file: string, target: number): Promise<SealedSegment> {
  try {
    return await work.site.sealer().seal(file, target, work.signal);
  } catch (cause) {
    if (codeOf(cause) === "NOT_FOUND") await missing(work, file, cause);
    throw cause;
  }
}

/** Whoever took the lease over takes the parts away, too: then none is lost. */
async function missing({ lease }: Sealing, file: string, cause: unknown): Promise<never> {
  await lease.check();
  throw lostFromSpool(file, cause);
}

export function lostFromSpool(file: string, cause: unknown): TrivaultError {
  const message = `${path.basename(file)} is missing from the spool (was its tmpfs emptied?); the dump must be made again.`;
  return new TrivaultError("CORRUPT", message, { permanent: true, cause });
}
