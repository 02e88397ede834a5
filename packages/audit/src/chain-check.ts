import type { Head } from "./head.ts";
import { GENESIS, type Link } from "./line.ts";

/** Something about the audit log that is not as it was written. */
export interface AuditProblem {
  /** Name of the month file (or `head.json`) in the audit log's folder. */
  readonly file: string;
  /** From 1; 0 for what is no line. */
  readonly line: number;
  /** The number of the event, where it is known. */
  readonly seq?: number;
  readonly what: string;
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

interface Standing extends Link, Place {
  readonly prev: string;
}

/** Reported in full only at the end: lines that seem to be missing may stand elsewhere. */
type Finding = { -readonly [Key in keyof AuditProblem]: AuditProblem[Key] };

interface Gap {
  readonly from: number;
  readonly to: number;
  found: number;
  readonly finding: Finding;
}

export interface ChainCheck {
  /** The next line of the audit log; null where it is not one by itself. */
  take(link: (Link & { readonly prev: string }) | null, place: Place): void;
  finish(): { readonly problems: readonly AuditProblem[]; readonly last: Link };
}

/**
 * Goes along the chain, and reports each change once, where it was made: after a break it goes on from the
 * line behind, so that what follows is looked at as well and is not held against itself.
 */
export function createChainCheck(head: Head | null): ChainCheck {
  const findings: Finding[] = [];
  const gaps: Gap[] = [];
  /** Lines that are none, since the last that was. */
  let bad: { first: Place; count: number } | null = null;
  let last: Standing = { ...GENESIS, prev: "", file: "", line: 0 };
  /** A line whose number was taken already, and what was said of it; the audit log may go on from this one all the same. */
  let rival: (Standing & { readonly finding: Finding; readonly count: number }) | null = null;
  let ofHead: Standing | null = null;

  function find(place: Place, what: string, seq?: number): Finding {
    const finding = { file: place.file, line: place.line, ...(seq === undefined ? {} : { seq }), what };
    findings.push(finding);
    return finding;
  }

  function goOnFrom(next: Standing): void {
    last = next;
    rival = null;
    bad = null;
  }

  function take(link: (Link & { readonly prev: string }) | null, place: Place): void {
    if (link === null) {
      bad = bad === null ? { first: place, count: 1 } : { first: bad.first, count: bad.count + 1 };
      return;
    }
    const next: Standing = { ...link, ...place };
    if (link.seq === head?.seq && ofHead?.hash !== head.hash) ofHead = next;
    const follows = link.seq === last.seq + 1 && link.prev === last.hash;
    if (bad !== null) reportBad(bad, follows ? null : link.seq);
    if (follows) return goOnFrom(next);
    if (rival !== null && rival.seq === last.seq && link.seq === rival.seq + 1 && link.prev === rival.hash) {
      Object.assign(rival.finding, { file: last.file, line: last.line, seq: last.seq });
      rival.finding.what = `was put in: what follows goes on from another event ${last.seq}, in line ${rival.line}`;
      return goOnFrom(next);
    }
    if (link.seq <= last.seq) return outOfPlace(next);
    if (link.seq > last.seq + 1) {
      if (bad === null) gaps.push(missing(last.seq + 1, link.seq - 1, next));
    } else if (last.seq === 0) find(next, "begins another record: it does not go on from the beginning", next.seq);
    else find(last, "was written anew: what follows goes on from another line", last.seq);
    goOnFrom(next);
  }

  /** `nextSeq`: number of the line behind them, or null where that one goes on from the line before them. */
  function reportBad({ first, count }: { first: Place; count: number }, nextSeq: number | null): void {
    const lines = count === 1 ? "" : ` (and the ${count - 1} after it)`;
    if (nextSeq !== null && nextSeq > last.seq + 1) {
      const range = rangeOf(last.seq + 1, nextSeq - 1);
      find(first, `is not as it was written${lines}: here ${range} stood`, last.seq + 1);
    } else find(first, `does not belong here${lines}: it is no line of this audit log`);
    if (nextSeq === null) bad = null;
  }

  function missing(from: number, to: number, place: Place): Gap {
    return {
      from,
      to,
      found: 0,
      finding: find(place, `before it ${rangeOf(from, to)} ${isAre(from, to)} missing`, from),
    };
  }

  function outOfPlace(next: Standing): void {
    const gap = gaps.find(({ from, to }) => from <= next.seq && next.seq <= to);
    bad = null;
    if (gap !== undefined) {
      gap.found += 1;
      return;
    }
    // A run of such lines is one thing that was done.
    const count = rival !== null && rival.file === next.file && rival.line + 1 === next.line ? rival.count + 1 : 1;
    const finding = count > 1 && rival !== null ? rival.finding : find(next, "", next.seq);
    const more = count === 1 ? "" : ` (and the ${count - 1} after it)`;
    finding.what = `stands here a second time${more}: there is an event ${finding.seq} already`;
    rival = { ...next, finding, count };
  }

  function finish() {
    const end: Place = { file: last.file === "" ? (head?.file ?? "") : last.file, line: last.line + 1 };
    if (bad !== null) reportBad(bad, head === null ? null : head.seq + 1);
    if (head !== null && head.seq > last.seq && bad === null) {
      const range = rangeOf(last.seq + 1, head.seq);
      find(
        end,
        `the end was cut off: ${range} ${isAre(last.seq + 1, head.seq)} missing, as head.json shows`,
        last.seq + 1,
      );
    }
    if (head !== null && ofHead !== null && ofHead.hash !== head.hash) {
      find(
        ofHead,
        "is not the line that head.json names: the end of the audit log was written anew, or head.json",
        head.seq,
      );
    }
    for (const { from, to, found, finding } of gaps) {
      if (found === 0) continue;
      const some = found === to - from + 1 ? "" : `, ${found} of them,`;
      finding.what = `the order was changed: ${rangeOf(from, to)}${some} ${isAre(from, to)} found behind it`;
    }
    return { problems: findings, last };
  }

  return { take, finish };
}

function rangeOf(from: number, to: number): string {
  return from === to ? `event ${from}` : `events ${from} to ${to}`;
}

function isAre(from: number, to: number): "is" | "are" {
  return from === to ? "is" : "are";
}
