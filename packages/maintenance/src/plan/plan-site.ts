import { type Config, type DatabaseConfig, timeOfBackupId } from "@trivault/core";
import { type Decision, type Plan, type PlanBackup, planRetention } from "@trivault/retention";
import type { Inventory, InventoryCopy } from "../inventory/inventory.ts";
import type { Marks } from "./marks.ts";
import type { Rules } from "./retention-state.ts";
import { formerRules, rulesOf } from "./rules-change.ts";

/** What is to become of the backups of one database, and by which rules. */
export interface DatabasePlan extends Plan {
  readonly rules: Rules;
}

/** What is to become of every backup on every tier of the site. */
export interface SitePlan {
  /** By database. */
  readonly plans: ReadonlyMap<string, DatabasePlan>;
  readonly warnings: readonly string[];
}

export interface SitePlanInput {
  readonly config: Pick<Config, "tiers" | "limits">;
  /** Configured and discovered. What lies there of any other is left alone. */
  readonly databases: readonly DatabaseConfig[];
  readonly inventories: readonly Inventory[];
  /** Tiers that could not be looked at; so is one without an inventory. */
  readonly unknownTiers: readonly string[];
  readonly marks: Marks;
  readonly now: Date;
}

/** A copy, as far as plans look at it. */
export type PlannedCopy = Pick<InventoryCopy, "database" | "backupId" | "state" | "bytes"> & { readonly tier: string };

/**
 * A tier that is empty counts as known: it is filled again, and until it is, the others give up nothing that it shall
 * have.
 */
export function planSite({ config, databases, inventories, unknownTiers, marks, now }: SitePlanInput): SitePlan {
  const configured = new Set(config.tiers.map(({ name }) => name));
  const known = inventories.filter(({ tier }) => configured.has(tier) && !unknownTiers.includes(tier));
  const knownNames = new Set(known.map(({ tier }) => tier));
  const found = known.flatMap(({ tier, copies }) => copies.map((copy): PlannedCopy => ({ ...copy, tier })));
  const byDatabase = Map.groupBy(found, ({ database }) => database);
  const configuredDatabases = new Map(databases.map((database) => [database.name, database]));
  const plans = new Map<string, DatabasePlan>();
  const graceSeconds = config.limits.retentionGraceSeconds;
  for (const name of new Set([...configuredDatabases.keys(), ...byDatabase.keys()])) {
    const copies = byDatabase.get(name) ?? [];
    const database = configuredDatabases.get(name) ?? null;
    plans.set(name, planDatabase(name, database, { copies, knownTiers: knownNames, marks, now, graceSeconds }));
  }
  return { plans, warnings: [...marks.problems, ...[...plans.values()].flatMap(({ warnings }) => warnings)] };
}

export interface DatabasePlanInput {
  /** Its copies on the tiers that are known. */
  readonly copies: readonly PlannedCopy[];
  readonly knownTiers: ReadonlySet<string>;
  readonly marks: Marks;
  readonly now: Date;
  /** How long rules that changed delete nothing that those before them keep. */
  readonly graceSeconds: number;
}

/** What is to become of the backups of one database; null: it is not configured. */
export function planDatabase(name: string, database: DatabaseConfig | null, input: DatabasePlanInput): DatabasePlan {
  const rules = rulesOf(database);
  if (database === null) return { ...leave(input.copies, () => "its database is not configured"), rules };
  const plan = planConfigured(database, input);
  const { problems, gone } = input.marks;
  if (problems.length > 0) return { ...withoutDeletions(plan, "held: a mark cannot be read"), rules };
  if (gone.has(name)) return { ...withoutDeletions(plan, "held: its database is gone from its server"), rules };
  return { ...holdBack(plan, name, rules, input), rules };
}

type PlannedDatabase = Pick<DatabaseConfig, "name" | "timeZone" | "tiers" | "retention">;

/** Marks what the rules before the present ones would not delete, tier by tier: each remembers its own. */
function holdBack(plan: Plan, name: string, rules: Rules, input: DatabasePlanInput): Plan {
  const { marks, now, graceSeconds } = input;
  const held = new Map<Decision, string>();
  const deletions = plan.decisions.filter(({ action }) => action === "delete");
  for (const [tier, ofTier] of Map.groupBy(deletions, (decision) => decision.tier)) {
    const before = formerRules(marks.rules.get(tier)?.[name], rules, { now, graceSeconds });
    if (before === null) continue;
    const { timeZone, tiers } = before.former;
    const former = planConfigured({ name, timeZone, tiers: Object.keys(tiers), retention: tiers }, input);
    const goes = former.decisions.filter((decision) => decision.tier === tier && decision.action === "delete");
    const ids = new Set(goes.map(({ backupId }) => backupId));
    for (const decision of ofTier) if (!ids.has(decision.backupId)) held.set(decision, before.until.toISOString());
  }
  if (held.size === 0) return plan;
  const decisions = plan.decisions.map((decision): Decision => {
    const heldUntil = held.get(decision);
    return heldUntil === undefined ? decision : { ...decision, heldUntil };
  });
  return { ...plan, decisions };
}

function planConfigured(
  { name, timeZone, tiers, retention }: PlannedDatabase,
  { copies, knownTiers, marks, now }: DatabasePlanInput,
): Plan {
  const [own, foreign] = partition(copies, ({ tier }) => tiers.includes(tier));
  const plan = planRetention({
    database: name,
    timeZone,
    now,
    tiers: tiers.map((tier) => ({ name: tier, policy: retention[tier] ?? null, known: knownTiers.has(tier) })),
    backups: backupsOf(own, marks),
    sizeAcceptedFrom: marks.acceptedFrom.get(name) ?? null,
  });
  const left = leave(foreign, (tier) => `${name} is not configured to be on ${tier}`);
  return { decisions: [...plan.decisions, ...left.decisions], warnings: [...plan.warnings, ...left.warnings] };
}

function backupsOf(copies: readonly PlannedCopy[], marks: Marks): PlanBackup[] {
  return [...Map.groupBy(copies, ({ backupId }) => backupId)].map(([id, those]) => {
    const complete = those.filter(({ state }) => state === "complete");
    const mark = marks.keep.get(id);
    return {
      id,
      startedAt: timeOfBackupId(id),
      bytes: Math.max(...(complete.length > 0 ? complete : those).map(({ bytes }) => bytes)),
      copies: Object.fromEntries(those.map(({ tier, state }) => [tier, state])),
      keep: mark !== undefined && mark.database === those[0]?.database ? mark.reason : null,
    };
  });
}

/** Copies that no policy speaks of. */
function leave(copies: readonly PlannedCopy[], why: (tier: string) => string): Plan {
  const decisions = copies.map(({ database, backupId, tier, bytes, state }): Decision => {
    return { database, backupId, tier, bytes, state, action: "keep", reasons: [why(tier)] };
  });
  const warnings = [...Map.groupBy(copies, ({ tier }) => tier)].map(([tier, { length, 0: first }]) => {
    const what = length === 1 ? "1 backup is" : `${length} backups are`;
    return `${first?.database}: ${what} on ${tier}, and nothing of it is deleted: ${why(tier)}.`;
  });
  return { decisions: decisions.toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1)), warnings };
}

function withoutDeletions(plan: Plan, why: string): Plan {
  const decisions = plan.decisions.map((decision): Decision => {
    if (decision.action !== "delete") return decision;
    return { ...decision, action: "keep", reasons: [why] };
  });
  return { ...plan, decisions };
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
