import { type Logger, silentLogger } from "@trivault/core";
import type { AuditEvent, AuditFilter, RecordedEvent, Recorder } from "./event.ts";
import { followRecord } from "./follow.ts";
import { queryRecord } from "./query.ts";
import { type Anchor, endOf, type KnownHeads, OF_THIS_PROCESS } from "./known-heads.ts";
import { type AuditReader, openReader, type ReadMark, resumeReader } from "./reader.ts";
import { type AuditVerdict, verifyRecord } from "./verify.ts";
import { createWriter, type Where } from "./writer.ts";

/**
 * The audit log of a site: what was done, by whom, and how it ended. In its folder (0700, files 0600):
 *
 *     <YYYY-MM>.jsonl   one JSON line per event, by the month (UTC) in which it was written
 *     head.json         number and hash of the last line (head.ts)
 *     lock.db           empty; one writer at a time (takeFileLock)
 *     spill/            events that wait to be appended (spill.ts)
 *
 * Each line holds the SHA-256 of the line before it (`prev`) and its own (`hash`): of its bytes up to `,"hash":` and a `}`.
 * So a line that is changed, taken out, put in or moved is found, and so is an end that was cut off, by head.json.
 *
 * What a bare chain cannot do: whoever may write to the folder can write all of it anew, head.json included, from any line
 * on, and nothing in the folder shows it. Only a `seq` and `hash` that were kept elsewhere show it: in the memory of a process
 * (known-heads.ts), in files (`anchors`), by a person (`audit verify` prints them).
 */
export interface AuditLog {
  /** Comes back within 3 s, whatever the disk does. */
  readonly record: Recorder;
  /** The same, and returns where the event went. */
  append(event: AuditEvent): Promise<Where>;
  query(filter: AuditFilter, order?: "oldest-first" | "newest-first"): AsyncIterable<RecordedEvent>;
  /** Events as they are written, from `filter.from` on, else from now on; ends when the signal does. */
  follow(filter: AuditFilter, signal: AbortSignal): AsyncIterable<RecordedEvent>;
  /** Reads from a time on; or on from where another reader stood, null where the log no longer is what that one has read. */
  reader(since: Date): AuditReader;
  resume(mark: ReadMark): Promise<AuditReader | null>;
  /** Held against what this process and `anchors` remember, too. */
  verify(signal?: AbortSignal): Promise<AuditVerdict>;
  /** The last event, for whoever keeps it elsewhere; null where there is none. */
  head(): { readonly seq: number; readonly hash: string } | null;
  /** True where the audit log went back since it was last seen; `audit.broken` is in it then. Comes back within 3 s. */
  check(): Promise<boolean>;
  /** Writes what still waits, if that can be done within 3 s. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  readonly now?: () => Date;
  readonly log?: Logger;
  /** Ends of the audit log that are remembered in files elsewhere. */
  readonly anchors?: () => Promise<readonly Anchor[]>;
  readonly known?: KnownHeads;
}

/** Nothing is made, nor held open, before the first event is recorded. */
export function openAuditLog(
  folder: string,
  {
    now = () => new Date(),
    log = silentLogger(),
    anchors = async () => [],
    known = OF_THIS_PROCESS,
  }: AuditLogOptions = {},
): AuditLog {
  const writer = createWriter(folder, { now, log, known, anchors });
  return {
    record: (event) =>
      writer.append(event).then(
        () => undefined,
        (error: unknown) => log.error({ err: error, event }, "an event could not be recorded"),
      ),
    append: (event) => writer.append(event),
    query: (filter, order = "oldest-first") => queryRecord(folder, filter, order),
    follow: (filter, signal) => followRecord(folder, filter, signal),
    reader: (since) => openReader(folder, since),
    resume: (mark) => resumeReader(folder, mark),
    async verify(signal) {
      const mine = known.get(folder);
      return verifyRecord(folder, [...(mine === null ? [] : [mine]), ...(await anchors())], signal);
    },
    head() {
      const end = endOf(folder);
      return end === null ? null : { seq: end.seq, hash: end.hash };
    },
    check: () => writer.check(),
    close: () => writer.flush(),
  };
}
