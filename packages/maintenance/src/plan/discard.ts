import type { StageContext } from "@trivault/backup";
import { findDatabase, TrivaultError } from "@trivault/core";
import type { Decision } from "@trivault/retention";
import { applyPlan } from "./apply-plan.ts";
import { type DiscoveryOptions, forgetGone, knownDatabases } from "@trivault/site";
import { lookAtSite, type SiteLook } from "./look-at-site.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { rulesOf } from "./rules-change.ts";

/** What goes where the backups of a database are discarded, and what stays. */
export interface DiscardPlan {
  readonly database: string;
  /** Newest first; each of one tier. */
  readonly copies: readonly Decision[];
  /** Copies that stay, and why. */
  readonly stays: readonly { readonly tier: string; readonly backupId: string; readonly why: string }[];
  readonly unreachable: SiteLook["unreachable"];
}

export interface Discarded {
  readonly database: string;
  readonly deleted: readonly Decision[];
  readonly held: readonly string[];
  readonly freedBytes: number;
  /** Nothing that was to go is left on any tier. */
  readonly complete: boolean;
}

/**
 * What discarding the backups of a database would delete. Only of one that is an orphan: not configured, and not on a
 * server whose patterns take it; where that server does not answer, nobody knows. Throws INPUT_INVALID, NOT_FOUND.
 */
export async function planDiscard(
  site: MaintenanceSite,
  database: string,
  signal: AbortSignal,
  options: DiscoveryOptions = {},
): Promise<DiscardPlan> {
  const known = await knownDatabases(site.config, { fresh: true, ...options });
  const isConfigured = known.databases.some(({ name }) => name === database);
  const silent = known.problems.find(({ server }) => database.startsWith(`${server}.`));
  if (isConfigured) {
    throw refused(
      `${JSON.stringify(database)} is configured, so its backups are not discarded: the rules of retention say which of them go. Take it out of the configuration first.`,
    );
  }
  if (silent && findDatabase(site.config, database) !== null) {
    throw refused(
      `The server ${silent.server} cannot be asked whether it holds ${JSON.stringify(database)}, so nothing is discarded: ${silent.reason}`,
    );
  }
  const look = await lookAtSite(site, signal);
  const [problem] = look.marks.problems;
  if (problem !== undefined) throw refused(problem);
  const found = look.plan.plans.get(database)?.decisions.filter(({ state }) => state !== null) ?? [];
  const isGone = known.gone.some(({ name }) => name === database);
  if (found.length === 0 && !isGone && look.unreachable.length === 0) {
    throw new TrivaultError("NOT_FOUND", `No backups of ${JSON.stringify(database)} lie on any tier.`, {
      permanent: true,
    });
  }
  const why = ({ backupId, state }: Decision): string | null => {
    const mark = look.marks.keep.get(backupId);
    if (mark?.database === database) return `kept by hand: ${mark.reason}`;
    if (state === "partial") return "without a manifest: being made, or left to the sweeper";
    return state === "complete" || state === "damaged" ? null : `its state is ${state}, so it may be another site's`;
  };
  return {
    database,
    copies: found
      .filter((decision) => why(decision) === null)
      .map((decision) => ({ ...decision, action: "delete", reasons: ["discarded by hand"] })),
    stays: found.flatMap((decision) => {
      const reason = why(decision);
      return reason === null ? [] : [{ tier: decision.tier, backupId: decision.backupId, why: reason }];
    }),
    unreachable: look.unreachable,
  };
}

/** Carries out what somebody saw and ordered. A tier that could not be asked keeps what it has, until it is ordered anew. */
export async function discardBackups(
  site: MaintenanceSite,
  { database, copies, stays, unreachable }: DiscardPlan,
  actor: string,
  { signal, note }: Pick<StageContext, "signal" | "note">,
): Promise<Discarded> {
  const deleted: Decision[] = [];
  const held: string[] = [];
  let freedBytes = 0;
  const plan = {
    plans: new Map([[database, { decisions: copies, warnings: [], rules: rulesOf(null) }]]),
    warnings: [],
  };
  for (const tier of site.tiers) {
    if (!copies.some((copy) => copy.tier === tier.name)) continue;
    const applied = await applyPlan(site, tier, plan, { signal, note, byHand: true, actor, database });
    deleted.push(...applied.deleted);
    held.push(...applied.held);
    freedBytes += applied.bytes;
  }
  const complete = deleted.length === copies.length && unreachable.length === 0;
  await site.record({
    action: "database.discarded",
    outcome: complete ? "ok" : "failed",
    actor,
    database,
    bytes: freedBytes,
    details: { copies: deleted.length, of: copies.length, kept: stays.length },
  });
  if (complete && stays.length === 0) await forgetGone(site.config, database);
  return { database, deleted, held, freedBytes, complete };
}

function refused(message: string): TrivaultError {
  return new TrivaultError("INPUT_INVALID", message, { permanent: true });
}
