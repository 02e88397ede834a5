import { listInUse, listRuns } from "@trivault/backup";
import { backupKey, codeOf, type Config, findDatabase, MANIFEST, messageOf } from "@trivault/core";
import type { Decision } from "@trivault/retention";
import type { Tier } from "@trivault/storage";
import { deleteCopy } from "./delete-copy.ts";
import type { MaintenanceSite } from "./maintain-site.ts";
import { isMassDeletion, readSeen, type Seen, writeSeen } from "./mass-guard.ts";
import type { SitePlan } from "./plan-site.ts";

export interface ApplyOptions {
  readonly signal: AbortSignal;
  /** Somebody looked at the plan and ordered it: then no deletion is too large. */
  readonly byHand: boolean;
  readonly actor: string;
  readonly note: (line: string) => void;
  /** Only of this database. */
  readonly database?: string | undefined;
}

export interface Applied {
  readonly deleted: readonly Decision[];
  /** For people: what was not deleted, though planned, and why. */
  readonly held: readonly string[];
  /** Freed. */
  readonly bytes: number;
}

type ApplySite = Pick<MaintenanceSite, "config" | "tiers" | "record">;

/**
 * Carries out what a plan deletes from one tier; copies are made by others (`reconcile`). A plan was made of what tiers
 * looked like some time ago, so what a deletion leans on is looked at again: that the tier's newest copies are there, and
 * that the other tiers which keep the backup have it. Throws where the tier cannot be reached; what was deleted by then
 * stands in the record.
 */
export async function applyPlan(site: ApplySite, tier: Tier, plan: SitePlan, options: ApplyOptions): Promise<Applied> {
  const seen = await readSeen(site.config, tier.name);
  const databases: Record<string, Seen["databases"][string]> = { ...seen.databases };
  const busy = new Set([...(await listRuns(site.config)), ...(await listInUse(site.config))]);
  const deleted: Decision[] = [];
  const held: string[] = [];
  let bytes = 0;
  let refused: string | null = null;
  for (const [database, { decisions }] of plan.plans) {
    if (options.database !== undefined && options.database !== database) continue;
    const here = decisions.filter((decision) => decision.tier === tier.name);
    const before = seen.databases[database];
    const newest = here.find(({ state }) => state === "complete")?.backupId;
    if (!options.byHand && isMassDeletion(here, before?.newest ?? null)) {
      const message = massMessage(database, tier, here);
      held.push(message);
      if (before?.held !== true) await recordHeld(site, { database, tier: tier.name, actor: options.actor, message });
      databases[database] = { newest: before?.newest ?? newest ?? "", held: true };
      continue;
    }
    if (newest !== undefined) databases[database] = { newest, held: false };
    const deletions = here.filter(({ action }) => action === "delete");
    if (deletions.length === 0 || refused !== null) continue;
    const missing = await missingOfNewest(site.config, tier, here, options.signal);
    if (missing !== null) {
      held.push(
        `${database} on ${tier.name}: nothing is deleted, as ${missing}, one of the newest there, is gone since it was listed.`,
      );
      continue;
    }
    for (const decision of deletions) {
      options.signal.throwIfAborted();
      const obstacle = busy.has(decision.backupId)
        ? "it is being made or read"
        : await obstacleElsewhere(site, decision, decisions, options.signal);
      if (obstacle !== null) {
        held.push(`${database} ${decision.backupId} stays on ${tier.name} for now: ${obstacle}.`);
        continue;
      }
      try {
        bytes += await deleteRecorded(site, tier, decision, options);
        deleted.push(decision);
      } catch (error) {
        if (codeOf(error) !== "STORE_REFUSED") throw error;
        refused = messageOf(error);
        held.push(`${tier.name} lets nothing be deleted: ${refused}`);
        if (!seen.refused) await recordRefusal(site, decision, options.actor, refused);
        break;
      }
    }
  }
  await writeSeen(site.config, tier.name, { databases, refused: refused !== null });
  for (const line of held) options.note(line);
  if (deleted.length > 0) options.note(`${deleted.length} copies deleted from ${tier.name}`);
  return { deleted, held, bytes };
}

async function deleteRecorded(
  site: ApplySite,
  tier: Tier,
  decision: Decision,
  { signal, actor, byHand }: ApplyOptions,
): Promise<number> {
  const begun = performance.now();
  const bytes = await deleteCopy(site.config, tier, decision, signal);
  await site.record({
    action: "backup.deleted",
    outcome: "ok",
    actor,
    database: decision.database,
    backupId: decision.backupId,
    tier: tier.name,
    bytes,
    seconds: (performance.now() - begun) / 1000,
    details: { rule: decision.reasons.join("; "), byHand },
  });
  return bytes;
}

/** The id of a copy that the floor stands on and that is gone, or null. */
async function missingOfNewest(
  config: Pick<Config, "databases" | "servers">,
  tier: Tier,
  here: readonly Decision[],
  signal: AbortSignal,
): Promise<string | null> {
  const kept = here.filter(({ action, state }) => action === "keep" && state === "complete");
  const [{ database } = { database: "" }] = here;
  const atLeast = findDatabase(config, database)?.retention[tier.name]?.atLeast ?? 1;
  for (const { backupId } of kept.slice(0, atLeast)) {
    if ((await tier.store.stat(backupKey(database, backupId, MANIFEST), { signal })) === null) return backupId;
  }
  return kept.length === 0 ? "every copy that stays" : null;
}

/** Why another tier does not allow this deletion yet: one that keeps the backup has lost it, or does not answer. */
async function obstacleElsewhere(
  site: ApplySite,
  { database, backupId, tier }: Decision,
  decisions: readonly Decision[],
  signal: AbortSignal,
): Promise<string | null> {
  const keepers = decisions.filter(
    (other) =>
      other.backupId === backupId && other.tier !== tier && other.action === "keep" && other.state === "complete",
  );
  for (const keeper of keepers) {
    const other = site.tiers.find(({ name }) => name === keeper.tier);
    try {
      const found = await other?.store.stat(backupKey(database, backupId, MANIFEST), { signal });
      if (!found) return `${keeper.tier} shall have it, and does not have it any more`;
    } catch (error) {
      signal.throwIfAborted();
      return `${keeper.tier} shall have it, and cannot be asked (${messageOf(error)})`;
    }
  }
  return null;
}

interface HeldBack {
  readonly database: string;
  readonly tier: string;
  readonly actor: string;
  readonly message: string;
}

async function recordHeld(site: ApplySite, { message, ...what }: HeldBack): Promise<void> {
  await site.record({ action: "retention.held", outcome: "refused", ...what, details: { message } });
}

async function recordRefusal(
  site: ApplySite,
  { database, backupId, tier, reasons }: Decision,
  actor: string,
  message: string,
): Promise<void> {
  await site.record({
    action: "backup.deleted",
    outcome: "refused",
    actor,
    database,
    backupId,
    tier,
    error: { code: "STORE_REFUSED", message },
    details: { rule: reasons.join("; ") },
  });
}

function massMessage(database: string, tier: Tier, here: readonly Decision[]): string {
  const complete = here.filter(({ state }) => state === "complete").length;
  const deletions = here.filter(({ action }) => action === "delete").length;
  const command = { local: "backup:rotate", sftp: "backup:sync:cleanup", s3: "backup:cloud:cleanup" }[tier.kind];
  return (
    `${database} on ${tier.name}: ${deletions} of ${complete} backups would go at once, far more than newer ones came. Nothing ` +
    `is deleted there until you say so. Look at it with npm run ${command} -- --database ${database} --dry-run; if it is ` +
    `right, say npm run ${command} -- --database ${database} --yes`
  );
}
