import { HOUR_MS } from "@trivault/core";
import type { RecordedEvent } from "@trivault/audit";
import { addTo, type BackupFacts, backupOf, deriveRuns, type Run, type RunStage } from "@trivault/monitor";

/** What a report needs of a run, kept small, as there are very many. Times are milliseconds. */
export interface ReportRun {
  readonly database: string;
  readonly startedAt: number;
  readonly state: Run["state"];
  readonly bytes: number | null;
  /** From its beginning until it was sealed on the local tier; null: it never was. */
  readonly backupSeconds: number | null;
  /** From its beginning until the last of its tiers had it; null: one of them does not, or there is but one. */
  readonly syncSeconds: number | null;
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly stage: RunStage["stage"];
    readonly tier: string | null;
  } | null;
}

export function toReportRun({ database, startedAt, state, bytes, stages, problem }: Run): ReportRun {
  const begun = Date.parse(startedAt);
  const seconds = ({ endedAt }: RunStage) => Math.max(0, (Date.parse(endedAt) - begun) / 1000);
  const sealed = stages.find(({ stage, outcome }) => stage === "encrypt" && outcome === "ok");
  const copies = stages.filter(({ stage }) => stage === "copy");
  // The stage that failed last; a dump that left nothing behind failed as a dump.
  const failed = stages.findLast(({ outcome }) => outcome !== "ok");
  const failure = problem && {
    ...problem,
    stage: failed?.stage ?? "dump",
    tier: failed?.stage === "copy" ? failed.tier : null,
  };
  return {
    database,
    startedAt: begun,
    state,
    bytes,
    backupSeconds: sealed === undefined ? null : seconds(sealed),
    syncSeconds: state === "ok" && copies.length > 0 ? Math.max(...copies.map(seconds)) : null,
    failure: state === "failed" || state === "incomplete" ? failure : null,
  };
}

export interface RunFold {
  /** In the order of the audit log. */
  add(event: RecordedEvent): void;
  /** The runs of one database, oldest first. */
  runsOf(database: string, now: Date): readonly ReportRun[];
}

/** So long after its last event a run that succeeded is put away: nothing changes it any more. */
const SETTLED_MS = 48 * HOUR_MS;
const LOOK_AT = 96;

/** Folds the audit log's events into runs, keeping the facts of those alone that may still change. */
export function foldReportRuns(tiersOf: (database: string) => readonly string[] | null): RunFold {
  const databases = new Map<string, DatabaseRuns>();
  return {
    add(event) {
      const about = backupOf(event);
      if (about === null) return;
      let runs = databases.get(about.database);
      if (!runs) databases.set(about.database, (runs = new DatabaseRuns(tiersOf(about.database))));
      runs.add(about, event);
    },
    runsOf: (database, now) => databases.get(database)?.all(now) ?? [],
  };
}

class DatabaseRuns {
  readonly #tiers: readonly string[] | null;
  readonly #facts = new Map<string, BackupFacts>();
  readonly #settled: ReportRun[] = [];
  readonly #settledIds = new Set<string>();
  #lookAt = LOOK_AT;

  constructor(tiers: readonly string[] | null) {
    this.#tiers = tiers;
  }

  add(about: { readonly database: string; readonly backupId: string }, event: RecordedEvent): void {
    if (this.#settledIds.has(about.backupId)) return;
    addTo(this.#facts, about, event);
    if (this.#facts.size >= this.#lookAt) this.#settle(event.at);
  }

  all(now: Date): readonly ReportRun[] {
    const open = this.#derive(now).map(({ run }) => toReportRun(run));
    return [...this.#settled, ...open].toSorted((a, b) => a.startedAt - b.startedAt);
  }

  /** Without those that are put away, of which some facts are still here. */
  #derive(now: Date) {
    return deriveRuns([...this.#facts.values()], { now, tiers: this.#tiers }).filter(
      ({ ids }) => !ids.some((id) => this.#settledIds.has(id)),
    );
  }

  #settle(at: Date): void {
    const before = at.getTime() - SETTLED_MS;
    // A tier's first copies show since when it is used.
    const first = new Map<string, BackupFacts>();
    for (const facts of this.#facts.values()) {
      for (const [tier, copy] of Object.entries(facts.copies)) {
        if (copy.at < (first.get(tier)?.copies[tier]?.at ?? Number.POSITIVE_INFINITY)) first.set(tier, facts);
      }
    }
    const kept = new Set([...first.values()].map(({ backupId }) => backupId));
    for (const { run, ids } of this.#derive(at)) {
      const isOver = ids.every((id) => (this.#facts.get(id)?.lastAt ?? 0) < before);
      if (run.state !== "ok" || !isOver) continue;
      this.#settled.push(toReportRun(run));
      for (const id of ids) {
        this.#settledIds.add(id);
        if (!kept.has(id)) this.#facts.delete(id);
      }
    }
    this.#lookAt = this.#facts.size + LOOK_AT;
  }
}
