import path from "node:path";
import { background, ensureFolder, LateError, type Logger, takeFileLock, within } from "@trivault/core";
import { AppendError, appendLines, idsFrom } from "./append.ts";
import type { AuditEvent } from "./event.ts";
import { findKnownEnd } from "./find-end.ts";
import { type Anchor, endOf, holds, type KnownHeads } from "./known-heads.ts";
import { prepare, type Unwritten } from "./line.ts";
import { claimSpills, listSpills, removeSpills, writeSpill } from "./spill.ts";

/** Where an event went. `chained` and `spilled` are on the disk; `pending` is in this process's memory and in its log. */
export type Where = "chained" | "spilled" | "pending";

export interface Writer {
  append(event: AuditEvent): Promise<Where>;
  /** Tries once more to write what is in memory, and waits for that no longer than for an event. */
  flush(): Promise<void>;
  /** True where the audit log went back since it was last seen; that is recorded. */
  check(): Promise<boolean>;
}

export interface WriterOptions {
  readonly now: () => Date;
  readonly log: Logger;
  readonly known: KnownHeads;
  /** Ends that are remembered in files; asked for once. */
  readonly anchors: () => Promise<readonly Anchor[]>;
}

const LOCK_PATIENCE_MS = 2000;
/** Once the lock was not to be had, those that come after do not each wait as long. */
const SHORT_PATIENCE_MS = 100;
/** A disk that hangs: whoever recorded goes on. */
const ANSWER_MS = 2800;
const RETRY_MS = 5000;
const MAX_WAITING = 10_000;

const HERE = "this process";

interface Waiting {
  readonly event: Unwritten;
  /** As of a spill. */
  mayStandFrom: number | null;
  logged: boolean;
  readonly settle: (where: Where) => void;
}

/** All events that come in while others are being written go together, with one write and one fsync. */
export function createWriter(folder: string, { now, log, known, anchors }: WriterOptions): Writer {
  let waiting: Waiting[] = [];
  let running: Promise<void> | null = null;
  let patience = LOCK_PATIENCE_MS;
  let retry: NodeJS.Timeout | null = null;
  /** Events of ours lie in spill files. Nobody sees them before they are appended, and it may be long until somebody else is. */
  let aside = false;
  /** The audit log went back: to be recorded, though there may be no event. */
  let doubt = false;
  let anchored: Promise<void> | null = null;

  /** Anchors that cannot be read are none. */
  async function remembered(): Promise<Anchor | null> {
    anchored ??= background(
      anchors().then(
        (found) => found.forEach((anchor) => known.see(folder, anchor)),
        (error: unknown) => log.warn({ err: error }, "what is remembered of the audit log's end cannot be read"),
      ),
    );
    await anchored;
    return known.get(folder);
  }

  async function check(): Promise<boolean> {
    const before = await remembered();
    const end = endOf(folder);
    if (before === null || (end !== null && (await holds(folder, end, before)))) {
      if (end !== null) known.see(folder, { seq: end.seq, hash: end.hash, where: HERE });
      return false;
    }
    doubt = true;
    await notForLong(drain());
    return true;
  }

  async function append(event: AuditEvent): Promise<Where> {
    const prepared = prepare(event, now());
    return new Promise((resolve) => {
      const entry: Waiting = {
        event: prepared,
        mayStandFrom: null,
        logged: false,
        settle: (where) => {
          clearTimeout(timer);
          resolve(where);
        },
      };
      const timer = setTimeout(() => leavePending(entry, "the audit log's disk does not answer"), ANSWER_MS);
      waiting.push(entry);
      void drain();
    });
  }

  function leavePending(entry: Waiting, why: unknown): void {
    if (!entry.logged) log.error({ event: entry.event, err: why }, "an event is not in the audit log yet");
    entry.logged = true;
    entry.settle("pending");
  }

  function drain(): Promise<void> {
    if (running === null && (waiting.length > 0 || aside || doubt)) running = writeAll();
    return running ?? Promise.resolve();
  }

  async function writeAll(): Promise<void> {
    try {
      let written = true;
      do written = await writeOnce();
      while (written && waiting.length > 0);
      if (written && !aside && !doubt) return;
      retry ??= setTimeout(() => {
        retry = null;
        void drain();
      }, RETRY_MS).unref();
    } finally {
      running = null; // in the same turn as the last look at `waiting`, so that no event falls between two stools
    }
  }

  /** False where nothing could be written, and all that waits still does. */
  async function writeOnce(): Promise<boolean> {
    let taken: Waiting[] = [];
    try {
      await ensureFolder(folder);
      const lock = await takeFileLock(path.join(folder, "lock.db"), patience);
      patience = lock === null ? SHORT_PATIENCE_MS : LOCK_PATIENCE_MS;
      taken = waiting.splice(0);
      if (lock !== null) {
        await chain(taken).finally(() => lock.release());
        for (const { settle } of taken) settle("chained");
        return true;
      }
    } catch (error) {
      log.warn({ err: error }, "the audit log could not be appended to");
      taken.push(...waiting.splice(0));
      if (error instanceof AppendError) for (const entry of taken) entry.mayStandFrom ??= error.from;
    }
    return taken.length === 0 || putAside(taken);
  }

  async function chain(taken: readonly Waiting[]): Promise<void> {
    const { after, findings } = await findKnownEnd(folder, await remembered());
    const spills = await claimSpills(folder, after.seq + 1);
    const mayStandFrom = earliest([...spills, ...taken]);
    const stand = mayStandFrom === null ? new Set() : await idsFrom(folder, mayStandFrom);
    const events = [
      ...findings.map((finding) => prepare(finding, now())),
      ...spills.flatMap((spill) => spill.events),
      ...taken.map(({ event }) => event),
    ].filter(({ id }) => !stand.has(id));
    const { seq, hash } = await appendLines(folder, after, events, now());
    doubt = false;
    if (seq > 0) known.see(folder, { seq, hash, where: HERE });
    // A file that cannot be removed is known again by its name.
    await removeSpills(folder, spills).catch((error: unknown) => log.warn({ err: error }, "a spill file stays"));
    // Where there are very many, only some are taken at once.
    aside = spills.length > 0 && listSpills(folder).waiting.length > 0;
  }

  async function putAside(taken: readonly Waiting[]): Promise<boolean> {
    try {
      await writeSpill(
        folder,
        taken.map(({ event }) => event),
        earliest(taken),
      );
      aside = true;
      for (const { settle } of taken) settle("spilled");
      return true;
    } catch (error) {
      for (const entry of taken) leavePending(entry, error);
      waiting = [...taken, ...waiting].slice(-MAX_WAITING);
      return false;
    }
  }

  async function flush(): Promise<void> {
    if (retry !== null) clearTimeout(retry);
    retry = null;
    await notForLong((running ?? Promise.resolve()).then(drain));
    if (retry !== null) clearTimeout(retry);
  }

  return { append, flush, check };
}

function earliest(entries: readonly { readonly mayStandFrom: number | null }[]): number | null {
  const numbers = entries.map(({ mayStandFrom }) => mayStandFrom).filter((number) => number !== null);
  return numbers.length === 0 ? null : Math.min(...numbers);
}

/** What is left by then is tried again later. */
async function notForLong(work: Promise<void>): Promise<void> {
  await within(ANSWER_MS, work).catch((error: unknown) => {
    if (!(error instanceof LateError)) throw error;
  });
}
