import type { RecordedEvent } from "@trivault/audit";
import { isBackupId, timeOfBackupId } from "@trivault/core";
import { type Interval, type Stretches, union } from "./intervals.ts";

/**
 * Which good copies there were when, by the audit log alone. A copy begins with the event of its completion (the copy stage
 * has verified it by then), or of a check that found it good. It ends with the event that it was deleted, found damaged,
 * or gone; of a loss that names only the oldest and the newest, all between them count as lost.
 */
export interface CopyHistory {
  readonly databases: ReadonlyMap<string, DatabaseHistory>;
  /** By tier: when maintenance could not look at it. */
  readonly unreachable: ReadonlyMap<string, Stretches>;
}

export interface DatabaseHistory {
  /** The first event about it: before that nothing is known. */
  readonly knownFrom: number;
  readonly copies: ReadonlyMap<string, readonly CopySpan[]>;
}

export interface CopySpan {
  /** When its backup was begun: what it holds is as old. */
  readonly startedAt: number;
  readonly from: number;
  /** Null: it is still there. */
  readonly to: number | null;
}

interface OpenSpan {
  readonly startedAt: number;
  readonly from: number;
  to: number | null;
}

export interface CopyHistoryFold {
  /** In the order of the audit log. */
  add(event: RecordedEvent): void;
  /** As of now; `add` may go on. */
  history(): CopyHistory;
}

/** What `copyHistory` wants to see of the audit log; the beginning of a failed run counts too, for `knownFrom`. */
export const COPY_ACTIONS = [
  "backup.dump",
  "backup.encrypt",
  "backup.copy",
  "backup.adopted",
  "backup.deleted",
  "backup.verified",
  "schedule.missed",
  "tier.vanished",
  "tier.shrunk",
  "tier.repaired",
  "tier.unreachable",
  "tier.reachable",
] as const;

/** `local`: the tier that an encryption's event means where it names none. */
export function foldCopies(local: string): CopyHistoryFold {
  const databases = new Map<string, { knownFrom: number; copies: Map<string, TierCopies> }>();
  const away = new Map<string, { stretches: Interval[]; since: number | null }>();

  const copiesOf = (database: string, tier: string, at: number): TierCopies => {
    let known = databases.get(database);
    if (!known) databases.set(database, (known = { knownFrom: at, copies: new Map() }));
    let copies = known.copies.get(tier);
    if (!copies) known.copies.set(tier, (copies = new TierCopies()));
    return copies;
  };
  const reach = (tier: string, at: number, reachable: boolean, seconds: number | undefined) => {
    let known = away.get(tier);
    if (!known) away.set(tier, (known = { stretches: [], since: null }));
    if (!reachable) known.since ??= at;
    // Where one was away already when the audit log begins, the event of its return says for how long.
    else if (known.since !== null || seconds !== undefined) {
      known.stretches.push({ from: known.since ?? at - (seconds ?? 0) * 1000, to: at });
      known.since = null;
    }
  };

  return {
    add(event) {
      const { action, outcome, database, backupId, seconds } = event;
      const at = timeOf(event);
      const tier = event.tier ?? (action === "backup.encrypt" || action === "backup.adopted" ? local : undefined);
      if (action === "tier.unreachable" || action === "tier.reachable") {
        if (tier !== undefined) reach(tier, at, action === "tier.reachable", seconds);
        return;
      }
      if (database === undefined) return;
      const known = databases.get(database);
      if (!known) databases.set(database, { knownFrom: at, copies: new Map() });
      else known.knownFrom = Math.min(known.knownFrom, at);
      if (tier === undefined || backupId === undefined) return;
      const copies = copiesOf(database, tier, at);
      if (isGain(event)) copies.begin(backupId, at);
      else if (action === "tier.vanished" || action === "tier.shrunk") {
        copies.endAll(String(event.details?.["oldest"] ?? backupId), String(event.details?.["newest"] ?? backupId), at);
      } else if (isLoss(action, outcome, event.details?.["state"])) copies.end(backupId, at);
    },
    history() {
      const unreachable = [...away].map(([tier, { stretches, since }]) => {
        const open = since === null ? [] : [{ from: since, to: Number.POSITIVE_INFINITY }];
        return [tier, union([...stretches, ...open])] as const;
      });
      const found = [...databases].map(([name, { knownFrom, copies }]) => {
        const spans = [...copies].map(([tier, each]) => [tier, each.spans] as const);
        return [name, { knownFrom, copies: new Map(spans) }] as const;
      });
      return { databases: new Map(found), unreachable: new Map(unreachable) };
    },
  };
}

/** When it happened: events that had to wait say so. A clock that was put back does not make anything happen later. */
export function timeOf({ at, time }: Pick<RecordedEvent, "at" | "time">): number {
  return Math.min(at.getTime(), (time ?? at).getTime());
}

function isGain({ action, outcome }: RecordedEvent): boolean {
  if (outcome !== "ok") return false;
  return (
    action === "backup.encrypt" ||
    action === "backup.copy" ||
    action === "backup.adopted" ||
    action === "backup.verified" ||
    action === "tier.repaired"
  );
}

function isLoss(action: RecordedEvent["action"], outcome: RecordedEvent["outcome"], state: unknown): boolean {
  if (action === "backup.deleted") return outcome === "ok";
  return action === "backup.verified" && (state === "damaged" || state === "missing");
}

/** The copies of one database on one tier. */
class TierCopies {
  readonly spans: OpenSpan[] = [];
  readonly #open = new Map<string, OpenSpan>();

  begin(backupId: string, at: number): void {
    if (this.#open.has(backupId) || !isBackupId(backupId)) return;
    // A clock that was ahead makes no copy younger than its completion.
    const span: OpenSpan = { startedAt: Math.min(timeOfBackupId(backupId).getTime(), at), from: at, to: null };
    this.#open.set(backupId, span);
    this.spans.push(span);
  }

  end(backupId: string, at: number): void {
    const span = this.#open.get(backupId);
    if (!span) return;
    span.to = at;
    this.#open.delete(backupId);
  }

  endAll(oldest: string, newest: string, at: number): void {
    for (const id of this.#open.keys()) if (id >= oldest && id <= newest) this.end(id, at);
  }
}
