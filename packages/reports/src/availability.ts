import type { CopyHistory, DatabaseHistory } from "./copy-history.ts";
import { intersect, type Interval, lengthOf, type Stretches, union, without } from "./intervals.ts";

/** One stretch of time, by the audit log. */
export interface Availability {
  readonly good: Stretches;
  /** The audit log shows it, good or not. */
  readonly known: Stretches;
  /** Not good, though copies lay there: a tier could not be reached. Part of what is known. */
  readonly unreachable: Stretches;
}

export interface AvailabilityQuestion {
  readonly name: string;
  /** Which shall all hold a copy. */
  readonly tiers: readonly string[];
  /** How old it may be; null: it is enough that there is one. */
  readonly objectiveSeconds: number | null;
}

/**
 * A database is available while each of its tiers can be reached and holds a good copy of a backup that was begun no longer
 * ago than the objective. What was before the audit log's first word about the database is not known, and counts neither way.
 */
export function databaseAvailability(
  { name, tiers, objectiveSeconds }: AvailabilityQuestion,
  history: CopyHistory,
  window: Interval,
): Availability {
  const own = history.databases.get(name);
  if (own === undefined) return { good: [], known: [], unreachable: [] };
  const known = union([{ from: Math.max(window.from, own.knownFrom), to: window.to }]);
  const covered = tiers.reduce(
    (left, tier) => intersect(left, freshCopies(own, tier, objectiveSeconds, window)),
    known,
  );
  const away = union(tiers.flatMap((tier) => history.unreachable.get(tier) ?? []));
  const good = tiers.length === 0 ? [] : without(covered, away);
  return { good, known, unreachable: tiers.length === 0 ? [] : intersect(covered, away) };
}

/** Available while all are of which anything is known. */
export function siteAvailability(databases: readonly Availability[]): Availability {
  const known = union(databases.flatMap((each) => each.known));
  const bad = union(databases.flatMap((each) => without(each.known, each.good)));
  const lacking = union(databases.flatMap((each) => without(without(each.known, each.good), each.unreachable)));
  return { good: without(known, bad), known, unreachable: without(bad, lacking) };
}

function freshCopies(
  { copies }: DatabaseHistory,
  tier: string,
  objectiveSeconds: number | null,
  window: Interval,
): Stretches {
  const spans = copies.get(tier) ?? [];
  const stretches = spans.map(({ startedAt, from, to }): Interval => {
    const stale = objectiveSeconds === null ? Number.POSITIVE_INFINITY : startedAt + objectiveSeconds * 1000;
    return { from: Math.max(from, window.from), to: Math.min(to ?? window.to, stale, window.to) };
  });
  return union(stretches);
}

/** `unknown`: what is not known yet may still decide it. */
export type Verdict = "met" | "missed" | "unknown";

/** Whether the good part reaches the objective, whatever the part that is not known was. */
export function verdictOf({ good, known }: Availability, window: Interval, objective: number): Verdict {
  const whole = window.to - window.from;
  const goodMs = lengthOf(good);
  const badMs = lengthOf(known) - goodMs;
  if (goodMs >= objective * whole) return "met";
  return whole - badMs < objective * whole ? "missed" : "unknown";
}
