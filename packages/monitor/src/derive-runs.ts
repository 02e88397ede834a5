import { HOUR_MS, timeOfBackupId, writeUtc } from "@trivault/core";
import { groupAttempts } from "./attempts.ts";
import type { BackupFacts, StageFacts } from "./backup-facts.ts";
import type { Run, RunStage } from "./views.ts";

/** A copy is tried for about three hours. */
export const COPY_LATE_MS = 4 * HOUR_MS;
/** A dump may wait long for its turn, and takes its time. */
export const DUMP_LATE_MS = 24 * HOUR_MS;

export interface RunRules {
  readonly now: Date;
  /** The tiers that a database's backups shall be on, its local one first; null: those that the audit log names. */
  readonly tiers: readonly string[] | null;
}

/** A run with the ids of all its attempts. */
export interface DerivedRun {
  readonly run: Run;
  readonly ids: readonly string[];
}

/** How a run stands, without what else there is to say of it: that takes much longer, and most runs are only counted. */
export interface JudgedRun extends Verdict {
  /** Milliseconds. */
  readonly startedAt: number;
  readonly attempts: readonly BackupFacts[];
  readonly wanted: readonly string[];
}

/** The runs of one database, oldest first. */
export function deriveRuns(facts: readonly BackupFacts[], rules: RunRules): DerivedRun[] {
  return judgeRuns(facts, rules).map((judged) => ({
    run: describeRun(judged),
    ids: judged.attempts.map(({ backupId }) => backupId),
  }));
}

/** The same, for whoever asks how they stand. */
export function judgeRuns(facts: readonly BackupFacts[], rules: RunRules): JudgedRun[] {
  const known = firstCopies(facts);
  const now = rules.now.getTime();
  return groupAttempts(facts)
    .map((attempts) => {
      const final = finalOf(attempts);
      const wanted = wantedCopies(final, rules.tiers, known);
      const verdict = isSealed(final) ? judgeCopies(final, wanted, now) : judgeDump(attempts, now);
      return { ...verdict, startedAt: Math.trunc(startOf(attempts, final)), attempts, wanted, id: final.backupId };
    })
    .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
}

/** Milliseconds. */
function startOf(attempts: readonly BackupFacts[], { adopted }: BackupFacts): number {
  if (adopted !== null) return adopted.at - 1000 * adopted.seconds;
  return timeOfBackupId(attempts[0]?.backupId ?? "").getTime();
}

/** By tier: when the audit log first shows a copy to it. */
function firstCopies(facts: readonly BackupFacts[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const { copies } of facts) {
    for (const tier of Object.keys(copies)) {
      const at = copies[tier]?.at ?? Infinity;
      if (at < (first.get(tier) ?? Infinity)) first.set(tier, at);
    }
  }
  return first;
}

/** A tier that came later is not asked of the runs before it, unless one of them was brought there. */
function wantedCopies(
  final: BackupFacts,
  tiers: readonly string[] | null,
  firstCopy: ReadonlyMap<string, number>,
): string[] {
  if (tiers === null) return Object.keys(final.copies).toSorted();
  return tiers
    .slice(1)
    .filter((tier) => final.copies[tier] !== undefined || (firstCopy.get(tier) ?? 0) - final.lastAt < COPY_LATE_MS);
}

/** The attempt by which a run is judged: the last one that is whole, else the last one. */
function finalOf(attempts: readonly BackupFacts[]): BackupFacts {
  const final = attempts.findLast(isSealed) ?? attempts.at(-1);
  if (final === undefined) throw new RangeError("a run has an attempt");
  return final;
}

/** It lies in the local tier; where the audit log lacks that, a copy elsewhere shows it. */
function isSealed({ encrypt, adopted, copies }: BackupFacts): boolean {
  return encrypt?.outcome === "ok" || adopted !== null || Object.values(copies).some(({ outcome }) => outcome === "ok");
}

type Verdict = Pick<Run, "state" | "problem">;

/** All that there is to say of a run. */
export function describeRun({ attempts, wanted, startedAt, state, problem }: JudgedRun): Run {
  const final = finalOf(attempts);
  const ends = [final.dump, final.encrypt, final.adopted, ...wanted.map((tier) => final.copies[tier])]
    .filter((stage) => stage !== null && stage !== undefined)
    .map(({ at }) => at);
  const last = ends.length === 0 ? final.lastAt : Math.max(...ends);
  return {
    backupId: final.backupId,
    database: final.database,
    startedAt: new Date(startedAt).toISOString(),
    state,
    problem,
    actor: final.actor,
    slot: final.slot,
    seconds: Math.max(0, Math.round(last - startOf(attempts, final)) / 1000),
    bytes: bytesOf(final),
    rows: final.dump?.rows ?? null,
    stages: stagesOf(attempts, final, wanted),
  };
}

function judgeCopies(final: BackupFacts, wanted: readonly string[], now: number): Verdict {
  const missing = wanted.filter((tier) => final.copies[tier]?.outcome !== "ok");
  if (missing.length === 0) return { state: "ok", problem: null };
  const tries = missing.map((tier) => final.copies[tier]).filter((copy) => copy !== undefined);
  const failed = tries.find(({ retried }) => !retried);
  if (failed !== undefined) return { state: "incomplete", problem: failed.problem };
  const [first = ""] = missing;
  const [tried] = tries;
  if (now - final.lastAt <= COPY_LATE_MS) return { state: "running", problem: tried?.problem ?? null };
  const message = `Its copy to ${first} has not come: the audit log has nothing about it since ${clock(final.lastAt)}.`;
  return { state: "incomplete", problem: tried?.problem ?? { code: "LATE", message } };
}

function judgeDump(attempts: readonly BackupFacts[], now: number): Verdict {
  const final = finalOf(attempts);
  const { dump, encrypt, lastAt } = final;
  // Where the dump failed, its sealing failed by that; the dump says why.
  const ended = dump !== null && dump.outcome !== "ok" ? dump : (encrypt ?? dump);
  const failed = ended !== null && ended.outcome !== "ok" ? ended : null;
  // A sealing that ended before its dump is known of says nothing: the dump is tried again.
  if (failed !== null && !failed.retried && (dump !== null || failed !== encrypt)) {
    return { state: "failed", problem: failed.problem };
  }
  if (now - lastAt <= DUMP_LATE_MS) return { state: "running", problem: failed?.problem ?? null };
  const asked = final.requestedAt !== null && ended === null;
  const message = asked
    ? "It was asked for, and never begun: no worker took it."
    : `It has no end: the audit log has nothing about it since ${clock(lastAt)}.`;
  return { state: "failed", problem: failed?.problem ?? { code: "LATE", message } };
}

function bytesOf({ encrypt, adopted, copies, dump }: BackupFacts): number | null {
  for (const stage of [encrypt, adopted, ...Object.values(copies), dump]) {
    if (stage?.outcome === "ok" && stage.bytes > 0) return stage.bytes;
  }
  return null;
}

function stagesOf(attempts: readonly BackupFacts[], final: BackupFacts, wanted: readonly string[]): RunStage[] {
  const dumps = attempts.reduce((sum, { dump }) => sum + (dump?.events ?? 0), 0);
  const others = Object.keys(final.copies)
    .filter((tier) => !wanted.includes(tier))
    .toSorted();
  const found = [
    stageOf("dump", null, final.dump, dumps),
    stageOf("encrypt", null, final.encrypt ?? final.adopted),
    ...[...wanted, ...others].map((tier) => stageOf("copy", tier, final.copies[tier] ?? null)),
  ];
  return found.filter((stage) => stage !== null);
}

function stageOf(
  stage: RunStage["stage"],
  tier: string | null,
  facts: StageFacts | null,
  attempts = facts?.events ?? 0,
): RunStage | null {
  if (facts === null) return null;
  const { outcome, at, seconds, bytes } = facts;
  return { stage, tier, outcome, endedAt: new Date(at).toISOString(), seconds, bytes, attempts };
}

function clock(time: number): string {
  return writeUtc("en", new Date(time));
}
