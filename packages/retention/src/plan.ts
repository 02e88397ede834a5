import { DAY_MS, type RetentionPolicy } from "@trivault/core";
import { calendar } from "./calendar.ts";
import { type Counted, describePolicy, keptByRules, withoutClockJumps } from "./rules.ts";
import type { Decision, Plan, PlanBackup, PlanInput, PlanTier } from "./types.ts";
import { futureWarning, sizeWarning } from "./warnings.ts";

/** A clock may be a little ahead of another. */
const FUTURE_MS = DAY_MS;

/** By backup id: why a policy keeps it. */
type Kept = ReadonlyMap<string, readonly string[]>;

/** What the rules of a tier say. */
interface Judgement {
  readonly tier: PlanTier;
  /** Ids that it holds complete. */
  readonly held: ReadonlySet<string>;
  /** By the rules, of all backups that are complete anywhere: what the tier shall hold. */
  readonly wanted: Kept;
  /** By the rules, of those that it holds itself. */
  readonly wantedOfOwn: Kept;
}

/**
 * What is to become of every backup of one database on each of its tiers. Pure: nothing but the input is looked at.
 *
 * - Only backups that are complete somewhere count; all else stays where it is, for the sweeper or for a person.
 * - A tier shall hold what its policy keeps of all backups, wherever they lie, and what is marked.
 * - It gives up a copy only where its policy would not keep it among its own copies either (what others hold may be lost,
 *   or not have come yet), and no other tier shall have that backup and has not got it.
 */
export function planRetention(input: PlanInput): Plan {
  const backups = input.backups.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const looked = input.tiers.filter(({ known }) => known);
  const complete = backups.filter(({ copies }) => looked.some(({ name }) => copies[name] === "complete"));
  const isFuture = ({ startedAt }: PlanBackup) => startedAt.getTime() > input.now.getTime() + FUTURE_MS;
  const bucketsOf = calendar(input.timeZone);
  const series = complete
    .filter((backup) => !isFuture(backup))
    .map(({ id, startedAt, bytes }) => ({ id, time: startedAt.getTime(), bytes, buckets: bucketsOf(startedAt) }));

  const judgements = input.tiers.map((tier) => judge(tier, backups, series, input.sizeAcceptedFrom));
  const completeIds = new Set(complete.map(({ id }) => id));
  return {
    decisions: backups.flatMap((backup) =>
      judgements
        .filter(({ tier }) => tier.known)
        .map((judgement) => ({
          database: input.database,
          backupId: backup.id,
          tier: judgement.tier.name,
          bytes: backup.bytes,
          state: backup.copies[judgement.tier.name] ?? null,
          ...(completeIds.has(backup.id)
            ? decide(backup, judgement, { judgements, future: isFuture(backup) })
            : leave(backup, judgement.tier.name)),
        })),
    ),
    warnings: [
      ...futureWarning(input.database, complete.filter(isFuture)),
      ...sizeWarning(input.database, series, input.sizeAcceptedFrom),
    ],
  };
}

function judge(
  tier: PlanTier,
  backups: readonly PlanBackup[],
  series: readonly Counted[],
  acceptedFrom: string | null,
): Judgement {
  const held = new Set(backups.filter(({ copies }) => copies[tier.name] === "complete").map(({ id }) => id));
  const own = withoutClockJumps(series.filter(({ id }) => held.has(id)));
  return {
    tier,
    held,
    wanted: kept(tier.policy, series, acceptedFrom),
    wantedOfOwn: kept(tier.policy, own, acceptedFrom),
  };
}

function kept(policy: RetentionPolicy | null, series: readonly Counted[], acceptedFrom: string | null): Kept {
  if (policy === null) return new Map(series.map(({ id }) => [id, ["everything is kept here"]]));
  return keptByRules(series, policy, acceptedFrom);
}

type Verdict = Pick<Decision, "action" | "reasons">;

function decide(
  backup: PlanBackup,
  { tier, held, wanted, wantedOfOwn }: Judgement,
  { judgements, future }: { judgements: readonly Judgement[]; future: boolean },
): Verdict {
  const reasons = [...(wanted.get(backup.id) ?? [])];
  if (backup.keep !== null) reasons.unshift(`kept by hand: ${backup.keep}`);
  if (!held.has(backup.id)) {
    // It may be whole: neither is it copied over, nor does anybody rely on it.
    if (backup.copies[tier.name] === "unknown") return leave(backup, tier.name);
    if (reasons.length > 0) return { action: "copy", reasons };
    if (backup.copies[tier.name] !== undefined) return leave(backup, tier.name);
    return { action: "none", reasons: [future ? "dated in the future" : beyond(tier.policy)] };
  }
  if (future) reasons.push("dated in the future");
  for (const reason of wantedOfOwn.get(backup.id) ?? []) {
    if (!reasons.includes(reason)) reasons.push(`${reason} (of the copies here)`);
  }
  for (const other of judgements) {
    const shallHave = backup.keep !== null || other.wanted.has(backup.id);
    if (!shallHave || other.tier.name === tier.name) continue;
    if (!other.tier.known) reasons.push(`${other.tier.name} shall have it and could not be looked at`);
    else if (!other.held.has(backup.id)) reasons.push(`${other.tier.name} shall have it and has not got it yet`);
  }
  return reasons.length > 0 ? { action: "keep", reasons } : { action: "delete", reasons: [beyond(tier.policy)] };
}

/** No rule deletes what is not complete. */
function leave(backup: PlanBackup, tier: string): Verdict {
  switch (backup.copies[tier]) {
    case "damaged":
      return { action: "keep", reasons: ["damaged: no rule deletes it"] };
    case "untrusted":
      return { action: "keep", reasons: ["its manifest is not to be trusted: no rule deletes it"] };
    case "unknown":
      return { action: "keep", reasons: ["could not be read: nothing is known of it"] };
    case "partial":
      return { action: "keep", reasons: ["without a manifest: being made, or left to the sweeper"] };
    default:
      return { action: "none", reasons: ["complete nowhere"] };
  }
}

function beyond(policy: RetentionPolicy | null): string {
  return policy === null ? "beyond every rule" : `beyond every rule (${describePolicy(policy)})`;
}
