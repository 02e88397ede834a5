import { listInUse, listRuns } from "@trivault/backup";
import { backupKey, codeOf, type Config, findDatabase, MANIFEST, messageOf, shellWord, writeUtc } from "@trivault/core";
import type { Decision } from "@trivault/retention";
import type { Tier } from "@trivault/storage";
import { deleteCopy } from "./delete-copy.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { isMassDeletion } from "./mass-guard.ts";
import type { DatabasePlan, SitePlan } from "./plan-site.ts";
import { readSeen, type Seen, type SeenDatabase, writeSeen } from "./retention-state.ts";
import { acceptRules } from "./rules-change.ts";

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

type ApplySite = Pick<MaintenanceSite, "config" | "tiers" | "record" | "now">;

/** One pass over a tier, and what came of it so far. */
interface Pass {
  readonly site: ApplySite;
  readonly tier: Tier;
  readonly options: ApplyOptions;
  /** Backups that are being made or read. */
  readonly busy: ReadonlySet<string>;
  /** From the passes before. */
  readonly seen: Seen;
  readonly databases: Record<string, Seen["databases"][string]>;
  readonly deleted: Decision[];
  readonly held: string[];
  bytes: number;
  refused: boolean;
}

/**
 * Carries out what a plan deletes from one tier; copies are made by others (`reconcile`). A plan was made of what tiers
 * looked like some time ago, so what a deletion leans on is looked at again: that the tier's newest copies are there, and
 * that the other tiers which keep the backup have it. Throws where the tier cannot be reached; what was deleted by then
 * stands in the audit log.
 */
export async function applyPlan(site: ApplySite, tier: Tier, plan: SitePlan, options: ApplyOptions): Promise<Applied> {
  const { config } = site;
  const busy = new Set([...(await listRuns(config)), ...(await listInUse(config))]);
  const seen = await readSeen(config, tier.name);
  const counted = { databases: { ...seen.databases }, deleted: [], held: [], bytes: 0, refused: false };
  const pass: Pass = { site, tier, options, busy, seen, ...counted };
  try {
    for (const [database, planned] of plan.plans) {
      if (options.database !== undefined && options.database !== database) continue;
      await orHeld(pass, `nothing of ${database} is deleted from ${tier.name} for now`, () =>
        applyTo(pass, database, planned),
      );
    }
  } finally {
    await writeSeen(config, tier.name, { databases: pass.databases, refused: pass.refused });
  }
  for (const line of pass.held) options.note(line);
  return { deleted: pass.deleted, held: pass.held, bytes: pass.bytes };
}

/** That one database or copy cannot be dealt with holds up no other; a tier that does not answer ends the pass. */
async function orHeld<T>(pass: Pass, what: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    pass.options.signal.throwIfAborted();
    if (codeOf(error) === "STORE_UNREACHABLE") throw error;
    pass.held.push(`${what}: ${messageOf(error)}`);
    return null;
  }
}

async function applyTo(pass: Pass, database: string, { decisions, rules }: DatabasePlan): Promise<void> {
  const { site, tier, options, seen } = pass;
  const { byHand } = options;
  const here = decisions.filter((decision) => decision.tier === tier.name);
  const before = seen.databases[database];
  const newest = here.find(({ state }) => state === "complete")?.backupId;
  if (newest === undefined) return;
  const planned = here.filter(({ action }) => action === "delete");
  const deletions = planned.filter(({ heldUntil }) => byHand || heldUntil === undefined);
  const isMass = !byHand && isMassDeletion(here, before?.newest ?? null);
  const time = { now: site.now(), graceSeconds: site.config.limits.retentionGraceSeconds };
  const accepted = acceptRules(before, rules, { byHand, planned: planned.length, ...time });
  const held = isMass ? "mass" : deletions.length < planned.length ? "rules" : null;
  pass.databases[database] = { newest, held, ...accepted };
  await reportHeld(pass, database, { held, before, here });
  if (isMass || deletions.length === 0 || pass.refused) return;
  const missing = await missingOfNewest(site.config, tier, here, options.signal);
  if (missing !== null) {
    pass.held.push(`${database} on ${tier.name}: nothing is deleted, as ${missing} is gone since the tier was listed.`);
    return;
  }
  for (const decision of deletions) {
    options.signal.throwIfAborted();
    const obstacle = pass.busy.has(decision.backupId)
      ? "it is being made or read"
      : await obstacleElsewhere(site, decision, decisions, options.signal);
    if (obstacle !== null) {
      pass.held.push(`${database} ${decision.backupId} stays on ${tier.name} for now: ${obstacle}.`);
    } else {
      const copy = `${database} ${decision.backupId} could not be deleted from ${tier.name} whole`;
      if ((await orHeld(pass, copy, () => deleteUnlessRefused(pass, decision))) === false) return;
    }
  }
}

/**
 * False where the tier lets nothing be deleted, as an append-only server does, or the site's disk takes no note of it: then no
 * other deletion is tried in this pass.
 */
async function deleteUnlessRefused(pass: Pass, decision: Decision): Promise<boolean> {
  const { site, tier, options, seen } = pass;
  try {
    const bytes = await deleteRecorded(site, tier, decision, options);
    if (bytes === null) {
      pass.held.push(
        `${tier.name}: nothing is deleted, as BACKUP_DIR ${site.config.backupDir} takes no note of it. Its disk is full or read-only: mend that.`,
      );
      return false;
    }
    pass.bytes += bytes;
    pass.deleted.push(decision);
    return true;
  } catch (error) {
    if (codeOf(error) !== "STORE_REFUSED") throw error;
    const message = messageOf(error);
    pass.refused = true;
    pass.held.push(`${tier.name} lets nothing be deleted, so it only grows: ${message}`);
    if (!seen.refused) await recordRefusal(site, decision, options.actor, message);
    return false;
  }
}

async function deleteRecorded(
  site: ApplySite,
  tier: Tier,
  decision: Decision,
  { signal, actor, byHand }: ApplyOptions,
): Promise<number | null> {
  const begun = performance.now();
  const bytes = await deleteCopy(site.config, tier, decision, signal);
  if (bytes === null) return null;
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

/** Which of the copies that the floor stands on is gone, or null. */
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
    if ((await tier.store.stat(backupKey(database, backupId, MANIFEST), { signal })) === null)
      return `its copy of ${backupId}`;
  }
  return null;
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

/** What is held is reported each time, and recorded when it begins, when its reason becomes another, and when it ends. */
async function reportHeld(
  pass: Pass,
  database: string,
  { held, before, here }: { held: SeenDatabase["held"]; before: SeenDatabase | undefined; here: readonly Decision[] },
): Promise<void> {
  const { site, tier, options } = pass;
  const message = held === null ? null : (held === "mass" ? massMessage : rulesMessage)(database, tier, here);
  if (message !== null) pass.held.push(message);
  if (held === (before?.held ?? null)) return;
  await site.record({
    action: "retention.held",
    outcome: held === null ? "ok" : "refused",
    actor: options.actor,
    database,
    tier: tier.name,
    details: message === null ? {} : { message, why: held },
  });
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
  return (
    `${database} on ${tier.name}: ${deletions} of ${complete} backups would go at once, far more than newer ones came. Nothing ` +
    `is deleted there until you say so. ${lookAndSay(database, tier)}`
  );
}

function rulesMessage(database: string, tier: Tier, here: readonly Decision[]): string {
  const complete = here.filter(({ state }) => state === "complete").length;
  const held = here.flatMap(({ heldUntil }) => heldUntil ?? []);
  const until = new Date(held.toSorted().at(-1) ?? 0);
  return (
    `${database} on ${tier.name}: ${held.length} of ${complete} backups would go by rules that changed, and the rules before ` +
    `keep them. They stay until ${writeUtc("en", until)}, or until you say so. ${lookAndSay(database, tier)}`
  );
}

function lookAndSay(database: string, { kind }: Tier): string {
  const command = { local: "backup:rotate", sftp: "backup:sync:cleanup", s3: "backup:cloud:cleanup" }[kind];
  return (
    `Look at it with npm run ${command} -- --database ${shellWord(database)} --dry-run; if it is right, say npm run ${command} -- ` +
    `--database ${shellWord(database)} --yes`
  );
}
