import { ensureSiteMark, findTier, siteTrust, type StageContext } from "@trivault/backup";
import { type CopyState, countOfStates, formatBytes, messageOf } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { applyPlan } from "../plan/apply-plan.ts";
import { recordLosses } from "../inventory/changes.ts";
import { nameOf } from "../inventory/cache.ts";
import { databasesOn, inventoriesWith } from "../inventory/freshness.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { verifyDoubtful } from "../repair/verify-doubtful.ts";
import { keepDiscovery } from "../discovery/keep-discovery.ts";
import { keepLifecycle } from "./lifecycle.ts";
import { keepRecoveryNote } from "../repair/recovery-note.ts";
import { startCopies } from "../repair/repair.ts";
import type { MaintenanceSite } from "../maintenance-site.ts";
import { readTierState, type TierState, writeTierState } from "../inventory/tier-state.ts";
import { sweepOrphans, sweepTemporary } from "./sweep.ts";
import { recordBudget, recordReachable, recordUnreachable, tierConfig } from "./record-tier.ts";
import { loadMarks } from "../plan/marks.ts";
import { planSite } from "../plan/plan-site.ts";
import { type CopyToStart, reconcile } from "../repair/reconcile.ts";
import { type Scan, scanTier } from "../inventory/scan.ts";
import { keepSite, type Upkeep } from "./site-upkeep.ts";

/** Copies started at a time: a tier that was wiped fills up round by round, and new backups need not wait for old ones. */
const MOST_COPIES = 200;
/** An inventory of another tier that is older than so many rounds says nothing: that tier is then not known. */
const KNOWN_FOR_ROUNDS = 3;
/** So much of the space that a tier has left may be taken by copies that it lacks. */
const SHARE_OF_FREE = 0.8;

/** What one round did, and found. */
export interface TierMaintenance {
  readonly tier: string;
  readonly reachable: boolean;
  /** Why it could not be looked at. */
  readonly problem: string | null;
  readonly found: Readonly<Record<CopyState, number>>;
  readonly bytes: number;
  /** Copies that were complete at the last look and are not any more. */
  readonly lost: number;
  readonly copiesStarted: number;
  readonly repairsStarted: number;
  readonly runsEnded: number;
  readonly remainsRemoved: number;
  readonly deleted: number;
  readonly overBudget: boolean;
  /** For people: what retention held back and what looks odd. */
  readonly warnings: readonly string[];
}

/** One look at a tier: what it holds, or why that is not known. */
export type Look = { readonly tier: Tier; readonly scan: Scan } | { readonly tier: Tier; readonly error: unknown };

/**
 * Puts one tier in order, from what truly lies there: records what was lost, verifies what was written again, starts the
 * copies that it lacks, has damaged ones made good, sweeps what never became a copy, and applies retention. The local tier's round is also that of the site. A
 * tier that cannot be reached ends its own round only. Idempotent.
 */
export async function maintainTier(
  site: MaintenanceSite,
  tierName: string,
  context: StageContext,
  options: { readonly retention?: boolean } = {},
): Promise<TierMaintenance> {
  const tier = findTier(site.tiers, tierName);
  return maintainSeen(site, await lookAt(site, tier, context.signal), context, options);
}

export async function lookAt(site: MaintenanceSite, tier: Tier, signal: AbortSignal): Promise<Look> {
  try {
    return { tier, scan: await scanTier(site, tier, { signal, trust: await siteTrust(site) }) };
  } catch (error) {
    signal.throwIfAborted();
    return { tier, error };
  }
}

/** `maintainTier` of a tier that was just looked at. */
export async function maintainSeen(
  site: MaintenanceSite,
  look: Look,
  context: StageContext,
  { retention = true }: { readonly retention?: boolean } = {},
): Promise<TierMaintenance> {
  const { tier } = look;
  const before = await readTierState(site.config, tier.name);
  const losses = await recordLosses(site, tier.name);
  for (const { action, details, database } of losses) {
    context.note(`${action}: ${String(details?.["copies"])} copies of ${database} on ${tier.name}`);
  }
  const isLocal = tier.name === site.tiers[0].name;
  const upkeep = isLocal ? await keepSite(site, context) : { runsEnded: 0, remainsRemoved: 0 };
  if (!("scan" in look)) {
    await recordUnreachable(site, look, before, context);
    return { ...nothing(tier.name), ...upkeep, reachable: false, problem: messageOf(look.error) };
  }
  const state: TierState = { ...before, seenAt: site.now(), unreachableSince: null, reason: null };
  if (before.unreachableSince !== null) await recordReachable(site, tier, before.unreachableSince);
  try {
    const round = { before, state, upkeep, retention, losses };
    return await putInOrder(site, { tier, scan: look.scan }, round, context);
  } finally {
    // Whatever was recorded by then is remembered, or a step that fails each time would have it recorded each time.
    await writeTierState(site.config, tier.name, state);
  }
}

interface RoundState {
  readonly before: TierState;
  /** As it is to be remembered; each step notes here what it did. */
  readonly state: TierState;
  readonly upkeep: Upkeep;
  readonly retention: boolean;
  readonly losses: Awaited<ReturnType<typeof recordLosses>>;
}

async function putInOrder(
  site: MaintenanceSite,
  { tier, scan }: Extract<Look, { scan: Scan }>,
  { before, state, upkeep, retention, losses }: RoundState,
  context: StageContext,
): Promise<TierMaintenance> {
  const inventory = await verifyDoubtful(site, tier, scan, context);

  const { inventories, unknownTiers } = await inventoriesWith(site, [inventory], KNOWN_FOR_ROUNDS);
  if (tier.name === site.tiers[0].name) {
    await keepDiscovery(site).catch((error: unknown) => {
      context.note(`which databases are gone could not be noted: ${messageOf(error)}`);
    });
  }
  const databases = databasesOn(site.config, inventories);
  const marks = await loadMarks(site.config);
  const plan = planSite({ config: site.config, databases, inventories, unknownTiers, marks, now: site.now() });

  state.overBudget = await recordBudget(site, tier, inventory, before, context);
  const lacking = reconcile(site, plan, inventories, tier.name);
  const full = state.overBudget && tierConfig(site, tier)?.budget?.whenFull === "stop";
  const fitting = full ? [] : thoseThatFit(lacking.slice(0, MOST_COPIES), inventory, inventories);
  const started = await startCopies(site, tier, inventory, fitting, context);

  let remainsRemoved = upkeep.remainsRemoved + (await sweepOrphans(site, tier, inventory, lacking, context));
  const swept = await sweepTemporary(site, tier, before.temporariesSweptAt, context);
  if (swept !== null) state.temporariesSweptAt = site.now();
  remainsRemoved += swept ?? 0;
  const { note, signal } = context;
  const applied = retention
    ? await applyPlan(site, tier, plan, { signal, note, byHand: false, actor: "maintenance" })
    : { deleted: [], held: [] };
  const { lifecycle, lifecycleAppliedAt } = await keepLifecycle(site, tier, before, context);
  Object.assign(state, { lifecycle, lifecycleAppliedAt });
  const { foreignNote } = await keepRecoveryNote(site, tier, inventory, before, context);
  Object.assign(state, { foreignNote });
  await ensureSiteMark(site.config, tier, site.signingKey, signal).catch((error: unknown) =>
    note(`${tier.name} does not know this site yet: ${messageOf(error)}`),
  );

  const result: TierMaintenance = {
    ...nothing(tier.name),
    found: countOfStates(inventory.copies.map((copy) => copy.state)),
    bytes: bytesOf(inventory),
    lost: losses.reduce((sum, { details }) => sum + Number(details?.["copies"] ?? 0), 0),
    copiesStarted: started.copies,
    repairsStarted: started.repairs,
    runsEnded: upkeep.runsEnded,
    remainsRemoved,
    deleted: applied.deleted.length,
    overBudget: state.overBudget,
    warnings: [...applied.held, ...plan.warnings, ...unknownWarning(inventory)],
  };
  context.note(summary(result, lacking.length));
  return result;
}

function unknownWarning({ tier, copies }: Inventory): string[] {
  const unknown = copies.filter(({ state }) => state === "unknown");
  const [first] = unknown;
  if (first === undefined) return [];
  const what = unknown.length === 1 ? "1 copy" : `${unknown.length} copies`;
  return [
    `${tier}: ${what} could not be read, so nothing is known of them, and nothing is done to them: ${first.problem}`,
  ];
}

/** The newest of them that a disk has room for: what is brought back must not take the place of the next backup. */
function thoseThatFit(
  copies: readonly CopyToStart[],
  { capacity }: Inventory,
  inventories: readonly Inventory[],
): CopyToStart[] {
  if (capacity === null) return [...copies];
  const sources = new Map(
    inventories.map(({ tier, copies: held }) => [tier, new Map(held.map((c) => [nameOf(c), c]))]),
  );
  let room = capacity.free * SHARE_OF_FREE;
  const fitting: CopyToStart[] = [];
  for (const copy of copies) {
    room -= sources.get(copy.from)?.get(nameOf(copy))?.bytes ?? 0;
    if (room < 0) break;
    fitting.push(copy);
  }
  return fitting;
}

function nothing(tier: string): TierMaintenance {
  return {
    tier,
    reachable: true,
    problem: null,
    found: countOfStates(),
    bytes: 0,
    lost: 0,
    copiesStarted: 0,
    repairsStarted: 0,
    runsEnded: 0,
    remainsRemoved: 0,
    deleted: 0,
    overBudget: false,
    warnings: [],
  };
}

function bytesOf({ copies }: Inventory): number {
  return copies.reduce((sum, { bytes }) => sum + bytes, 0);
}

function summary({ tier, found, bytes, ...did }: TierMaintenance, lacking: number): string {
  const states = Object.entries(found).map(([state, count]) => `${count} ${state}`);
  const left = lacking > did.copiesStarted ? ` of ${lacking} that it lacks` : "";
  return (
    `${tier}: ${states.join(", ")}, ${formatBytes(bytes)}; ${did.copiesStarted} copies started${left}, ` +
    `${did.remainsRemoved} remains removed, ${did.deleted} deleted by retention`
  );
}
