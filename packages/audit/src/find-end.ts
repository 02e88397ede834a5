import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import type { AuditEvent } from "./event.ts";
import { listMonths } from "./folder.ts";
import { type Head, publishHead, readHead } from "./head.ts";
import { GENESIS, type Link, readLink } from "./line.ts";
import { type Anchor, holds } from "./known-heads.ts";
import { endOfLines, linesBackwards, readAt } from "./read-lines.ts";

/** Where the next line goes on, and what was found out of order on the way: it becomes part of the audit log. */
export interface End {
  readonly after: Link;
  readonly findings: readonly AuditEvent[];
}

/**
 * Finds the end of the audit log, with the lock held, and mends a line that a crash left torn. Where `head.json` knows of more
 * than there is, or of something else, the next line goes on from `head.json`: so the hole, or the change, stays in the
 * chain for good, to be found by anyone.
 */
export async function findEnd(folder: string): Promise<End> {
  const head = readHead(folder);
  const months = listMonths(folder);
  const newest = months.at(-1);
  if (newest === undefined) {
    if (head === "missing") {
      // So that a crash after the first line is not taken for a head that somebody removed.
      await publishHead(folder, { ...GENESIS, file: "", size: 0 });
      return { after: GENESIS, findings: [] };
    }
    if (head === "invalid") return { after: GENESIS, findings: [broken({ head })] };
    return head.seq === 0 ? { after: GENESIS, findings: [] } : { after: head, findings: [missing(head, GENESIS)] };
  }
  if (typeof head === "object" && head.file === newest && head.size === statSync(path.join(folder, newest)).size) {
    return { after: head, findings: [] };
  }
  const findings: AuditEvent[] = [];
  const healed = await healEnd(path.join(folder, newest));
  if (healed > 0) findings.push(finding("audit.healed", "ok", { file: newest, bytes: healed }));
  const last = await lastLink(folder, months);
  if (typeof head === "string") return { after: last, findings: [...findings, broken({ head })] };
  if (last.seq > head.seq || (last.seq === head.seq && last.hash === head.hash)) return { after: last, findings };
  return { after: head, findings: [...findings, missing(head, last)] };
}

/**
 * The same, held against what is remembered outside the folder: where the audit log went back, or is another, that becomes part of
 * it, and the next line goes on from what is remembered.
 */
export async function findKnownEnd(folder: string, known: Anchor | null): Promise<End> {
  const end = await findEnd(folder);
  if (known === null || (await holds(folder, end.after, known))) return end;
  const { seq, hash, where } = known;
  const after = end.after.seq > seq ? end.after : { ...end.after, seq, hash };
  const said = end.findings.some(({ action }) => action === "audit.broken");
  return {
    after,
    findings: said ? end.findings : [...end.findings, broken({ head: seq, last: end.after.seq, where })],
  };
}

/** Takes away what follows the last line break, and returns how many bytes; a whole line without its break gets it. */
async function healEnd(file: string): Promise<number> {
  const handle = await open(file, "r+");
  try {
    const { size } = await handle.stat();
    const end = await endOfLines(handle, size);
    if (end === size) return 0;
    if (readLink(await readAt(handle, end, size - end)) !== null) {
      await handle.write("\n", size);
      await handle.sync();
      return 0;
    }
    await handle.truncate(end);
    await handle.sync();
    return size - end;
  } finally {
    await handle.close();
  }
}

/** The last line that is one: what somebody else wrote behind it stays where it is, and is not gone on from. */
async function lastLink(folder: string, months: readonly string[]): Promise<Link> {
  for (const month of months.toReversed()) {
    const handle = await open(path.join(folder, month), "r");
    try {
      for await (const lines of linesBackwards(handle, (await handle.stat()).size)) {
        for (const { bytes } of lines) {
          const link = readLink(bytes);
          if (link !== null) return link;
        }
      }
    } finally {
      await handle.close();
    }
  }
  return GENESIS;
}

function missing(head: Head, last: Link): AuditEvent {
  return broken({ head: head.seq, last: last.seq });
}

function broken(details: NonNullable<AuditEvent["details"]>): AuditEvent {
  return finding("audit.broken", "failed", details);
}

function finding(
  action: "audit.healed" | "audit.broken",
  outcome: AuditEvent["outcome"],
  details: NonNullable<AuditEvent["details"]>,
): AuditEvent {
  return { action, outcome, actor: "maintenance", details };
}
