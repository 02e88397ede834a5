import { isDeepStrictEqual } from "node:util";
import type { DatabaseConfig } from "@trivault/core";
import type { Rules, SeenDatabase } from "./retention-state.ts";

/**
 * Rules that changed delete nothing that the rules before them keep, until somebody has ordered the plan by hand or a time
 * of grace has passed. Each tier remembers the rules that its deletions were last accepted under (retention-state.ts).
 *
 * Where those are not known (the file was lost, or there was none yet) nobody can say what changed, so all that would go is
 * held for the time of grace. Only where nothing would go, as with the first backups of a database, the rules in force are
 * taken as accepted: that deletes nothing, and from then on a change is seen.
 */
const KEEP_EVERYTHING: Rules = { timeZone: "UTC", tiers: {} };

/** Everything is kept of a database that is not configured; when it is configured again, that is a change of rules. */
export function rulesOf(database: Pick<DatabaseConfig, "timeZone" | "tiers" | "retention"> | null): Rules {
  if (database === null) return KEEP_EVERYTHING;
  const { timeZone, tiers, retention } = database;
  return { timeZone, tiers: Object.fromEntries(tiers.map((tier) => [tier, retention[tier] ?? null])) };
}

/** What holds back deletions of a database on a tier: the rules before, and until when they do. Null: nothing. */
export function formerRules(
  seen: SeenDatabase | undefined,
  rules: Rules,
  { now, graceSeconds }: { readonly now: Date; readonly graceSeconds: number },
): { readonly former: Rules; readonly until: Date } | null {
  const former = seen?.accepted ?? KEEP_EVERYTHING;
  if (isDeepStrictEqual(former, rules)) return null;
  const until = new Date(changedSince(seen, rules, now).getTime() + graceSeconds * 1000);
  return until > now ? { former, until } : null;
}

export interface Outcome {
  /** A person ordered the plan. */
  readonly byHand: boolean;
  /** Deletions that the plan orders, held or not. */
  readonly planned: number;
  readonly now: Date;
  readonly graceSeconds: number;
}

/** What is to be remembered of rules after a plan was carried out under them. */
export function acceptRules(
  seen: SeenDatabase | undefined,
  rules: Rules,
  { byHand, planned, ...time }: Outcome,
): Pick<SeenDatabase, "accepted" | "changed"> {
  const isFirst = seen?.accepted === undefined && planned === 0;
  if (byHand || isFirst || formerRules(seen, rules, time) === null) return { accepted: rules };
  return { accepted: seen?.accepted, changed: { to: rules, since: changedSince(seen, rules, time.now) } };
}

/** A clock that was ahead when it was noted must not hold things for years. */
function changedSince(seen: SeenDatabase | undefined, rules: Rules, now: Date): Date {
  const changed = seen?.changed;
  return changed !== undefined && isDeepStrictEqual(changed.to, rules) && changed.since <= now ? changed.since : now;
}
