import { open } from "node:fs/promises";
import path from "node:path";
import { type AuditProblem, createChainCheck } from "./chain-check.ts";
import { listMonths, monthFile } from "./folder.ts";
import { HEAD, readHead } from "./head.ts";
import type { Anchor } from "./known-heads.ts";
import { readLink } from "./line.ts";
import { linesOf } from "./read-lines.ts";
import { listSpills } from "./spill.ts";

export interface AuditVerdict {
  readonly ok: boolean;
  /** Lines that are whole by themselves. */
  readonly events: number;
  /** The last event: whoever keeps these two elsewhere can prove later that nothing before it was rewritten. */
  readonly head: { readonly seq: number; readonly hash: string } | null;
  /** Files of events that wait to be appended (spill.ts). */
  readonly waiting: number;
  readonly problems: readonly AuditProblem[];
}

/** Reads the whole audit log, while others may write on. `anchors`: what is remembered of it elsewhere. */
export async function verifyRecord(
  folder: string,
  anchors: readonly Anchor[],
  signal?: AbortSignal,
): Promise<AuditVerdict> {
  const sought = new Map(anchors.map(({ seq, hash }) => [`${seq} ${hash}`, false]));
  // Read before the lines: those that are appended meanwhile only make the audit log longer than it says.
  const head = readHead(folder);
  const months = listMonths(folder);
  const check = createChainCheck(typeof head === "object" ? head : null);
  const problems: AuditProblem[] = [];
  let events = 0;
  for (const file of months) {
    const handle = await open(path.join(folder, file), "r");
    try {
      const { size } = await handle.stat();
      let line = 0;
      let end = 0;
      let misplaced = false;
      for await (const lines of linesOf(handle, 0, size)) {
        signal?.throwIfAborted();
        for (const { bytes, end: behind } of lines) {
          line += 1;
          end = behind;
          const link = readLink(bytes);
          if (link !== null) {
            events += 1;
            if (sought.has(`${link.seq} ${link.hash}`)) sought.set(`${link.seq} ${link.hash}`, true);
          }
          check.take(link, { file, line });
          if (link === null || misplaced || monthFile(link.at) === file) continue;
          misplaced = true;
          problems.push({ file, line, seq: link.seq, what: `belongs into ${monthFile(link.at)}` });
        }
      }
      // In the newest file it is a line that is being written, or what a crash left of one.
      if (end < size && file !== months.at(-1))
        problems.push({ file, line: line + 1, what: "is only a part of a line" });
    } finally {
      await handle.close();
    }
  }
  const { problems: ofChain, last } = check.finish();
  problems.unshift(...ofChain);
  if (head === "missing" && months.length > 0) problems.push({ file: HEAD, line: 0, what: "is missing" });
  if (head === "invalid") problems.push({ file: HEAD, line: 0, what: "is not as it was written" });
  const { waiting, unreadable } = listSpills(folder);
  for (const name of unreadable) problems.push({ file: `spill/${name}`, line: 0, what: "cannot be read" });
  // Only where nothing else shows it: what the chain itself shows is reported where it was done.
  const lost = anchors.find(({ seq, hash }) => sought.get(`${seq} ${hash}`) !== true);
  if (lost !== undefined && problems.length === 0) {
    const { seq, where } = lost;
    const what =
      seq > last.seq
        ? `the audit log was begun anew, or its end was cut off: it ends at event ${last.seq}, and ${where} has seen event ${seq}`
        : `the audit log was written anew: its event ${seq} is not the one that ${where} has seen`;
    problems.push({ file: months.at(-1) ?? HEAD, line: 0, seq, what });
  }
  return {
    ok: problems.length === 0,
    events,
    head: last.seq === 0 ? null : { seq: last.seq, hash: last.hash },
    waiting: waiting.length,
    problems,
  };
}
