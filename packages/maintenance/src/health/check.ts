import { type Config, type DatabaseConfig, timeOfBackupId } from "@trivault/core";
import type { Plan } from "@trivault/retention";
import { checkBudget } from "../inventory/budget.ts";
import { checkDatabase, FUTURE_MS } from "./databases.ts";
import { diskUsage } from "./disk-usage.ts";
import type { HealthHistory, LackingCopy } from "./history.ts";
import { type DiscoveryNews, findOrphans, NO_NEWS } from "./orphans.ts";
import { type DatabaseHealth, type HealthReport, isVanished, type Orphan, type TierHealth } from "./report.ts";
import { type HeldCopy, type Holdings, totalOf } from "../inventory/holdings.ts";
import type { Marks } from "../plan/marks.ts";
import { planDatabase } from "../plan/plan-site.ts";
import { effectiveTime } from "../inventory/seen-at.ts";

/** What is known of a tier: what it held when it was last looked at, be that long ago where it cannot be reached. */
export interface SeenTier {
  readonly holdings: Holdings | null;
  readonly unreachable: { readonly since: Date | null; readonly reason: string } | null;
}

export interface HealthInput {
  /** Configured and discovered. */
  readonly databases: readonly DatabaseConfig[];
  /** By tier. */
  readonly seen: ReadonlyMap<string, SeenTier>;
  readonly marks: Marks;
  /** What discovery knows beside the databases. */
  readonly news?: DiscoveryNews | undefined;
  /** Report of this database alone. */
  readonly only?: string | undefined;
  readonly now: Date;
}

export interface HealthLook {
  /** The copies that shall be there and are not. */
  readonly lacking: readonly LackingCopy[];
  report(history: HealthHistory): HealthReport;
  /** What is to become of each backup of a database; null where there is none of that name. */
  plan(database: string): Plan | null;
  /** For one that is not configured, but has backups; null where there is none of that name. */
  stranger(database: string, history: HealthHistory): DatabaseHealth | null;
}

/** What follows from the copies of a database; it holds while they are the same arrays. */
interface Remembered {
  readonly arrays: readonly (readonly HeldCopy[] | undefined)[];
  readonly how: string;
  readonly lacking: readonly LackingCopy[];
  /** Distinct complete backups on the local tier, on servers, in buckets. */
  readonly complete: readonly [number, number, number];
  /** Something is dated in the future, so time changes what follows. */
  readonly future: boolean;
}

const NONE: readonly HeldCopy[] = [];

/**
 * Says how well a site is, from what its tiers hold. It remembers what it reckoned of a database, and reckons anew where the
 * database's copies or marks have changed, or a tier came or went: a site of many backups changes in few places at a time.
 */
export function createHealthCheck(config: Config): (input: HealthInput) => HealthLook {
  const remembered = new Map<string, Remembered>();
  const kinds = kindsOf(config);
  const graceSeconds = config.limits.retentionGraceSeconds;
  return ({ databases, seen, marks, news = NO_NEWS, only, now }) => {
    const configured = new Map(databases.map((database) => [database.name, database]));
    const unknownTiers = new Set(config.tiers.map(({ name }) => name).filter((name) => isUnknown(seen.get(name))));
    const holdings = config.tiers.map(({ name }) => seen.get(name)?.holdings ?? null);
    const names = new Set([...configured.keys(), ...holdings.flatMap((one) => [...(one?.copies.keys() ?? [])])]);
    const marksOf = marksByDatabase(marks);
    const plan = (name: string): Plan => {
      const known = holdings.flatMap((one) => (one === null || unknownTiers.has(one.tier) ? [] : [one]));
      const copies = known.flatMap(({ tier, copies: those }) =>
        (those.get(name) ?? NONE).map((copy) => ({ ...copy, tier })),
      );
      const knownTiers = new Set(known.map(({ tier }) => tier));
      return planDatabase(name, configured.get(name) ?? null, { copies, knownTiers, marks, now, graceSeconds });
    };
    /** Quickly said of most: where its tiers hold the very same backups, no rule asks for a copy. A plan takes much longer. */
    const isOnAllTiers = (name: string, arrays: Remembered["arrays"]): boolean => {
      const wanted = new Set(configured.get(name)?.tiers.filter((tier) => !unknownTiers.has(tier)));
      return holdSame(config.tiers.flatMap((tier, index) => (wanted.has(tier.name) ? [arrays[index] ?? NONE] : [])));
    };
    for (const name of remembered.keys()) if (!names.has(name)) remembered.delete(name);
    for (const name of names) {
      const arrays = holdings.map((one) => one?.copies.get(name));
      const how = JSON.stringify([configured.has(name), [...unknownTiers], marksOf(name)]);
      const before = remembered.get(name);
      if (before?.how === how && !before.future && arrays.every((array, i) => array === before.arrays[i])) continue;
      remembered.set(name, {
        arrays,
        how,
        lacking: isOnAllTiers(name, arrays) ? [] : lackingBy(plan(name)),
        complete: [
          completeOn(arrays, kinds.local),
          completeOn(arrays, kinds.servers),
          completeOn(arrays, kinds.buckets),
        ],
        future: arrays.some((array) => isFuture(array?.at(-1), now)),
      });
    }
    const lacking = [...remembered.values()].flatMap((one) => one.lacking);
    const report = (history: HealthHistory) =>
      assemble({ config, databases, seen, holdings, unknownTiers, remembered, lacking, news, only, now }, history);
    const stranger = (name: string, history: HealthHistory): DatabaseHealth | null => {
      const tiers = holdings.flatMap((one) => (one?.copies.has(name) ? [one.tier] : []));
      if (tiers.length === 0) return null;
      return checkDatabase(
        { name, schedule: null, objectiveSeconds: null, tiers },
        {
          copiesOn: copiesOn(holdings, name),
          unknownTiers,
          lacking: [],
          lastRun: history.lastRun(name),
          spreadSeconds: 0,
          now,
        },
      );
    };
    return { lacking, report, stranger, plan: (name) => (names.has(name) ? plan(name) : null) };
  };
}

function lackingBy({ decisions }: Plan): LackingCopy[] {
  return decisions
    .filter(({ action }) => action === "copy")
    .map(({ database, backupId, tier }) => ({ database, backupId, tier }));
}

/** Whether all of them hold complete copies of the same backups, and no other copy. */
function holdSame([first = NONE, ...others]: readonly (readonly HeldCopy[])[]): boolean {
  return (
    first.every(({ state }) => state === "complete") &&
    others.every(
      (those) =>
        those.length === first.length &&
        those.every(({ backupId, state }, index) => state === "complete" && backupId === first[index]?.backupId),
    )
  );
}

interface Parts extends Pick<HealthInput, "databases" | "seen" | "now" | "only"> {
  readonly news: DiscoveryNews;
  readonly config: Config;
  readonly holdings: readonly (Holdings | null)[];
  readonly unknownTiers: ReadonlySet<string>;
  readonly remembered: ReadonlyMap<string, Remembered>;
  readonly lacking: readonly LackingCopy[];
}

function assemble(parts: Parts, history: HealthHistory): HealthReport {
  const { config, databases, seen, unknownTiers, remembered, lacking, news, only, now } = parts;
  const holdings = parts.holdings.filter((one) => one !== null);
  const isAsked = ({ name }: { readonly name: string }) => only === undefined || name === only;
  const orphans = findOrphans(config, { databases, news, holdings }).filter(isAsked);
  const checked = databases.filter(isAsked).map((database) =>
    checkDatabase(database, {
      copiesOn: copiesOn(holdings, database.name),
      unknownTiers,
      lacking: remembered.get(database.name)?.lacking ?? [],
      lastRun: history.lastRun(database.name),
      // As the scheduler: one database alone is not spread.
      spreadSeconds: databases.length > 1 ? config.limits.spreadSeconds : 0,
      now,
    }),
  );
  const totals = holdings.map((one) => ({ ...one, copies: [totalOf(one)] }));
  const tiers = config.tiers.map((tier) => tierHealth(tier, seen.get(tier.name)));
  const count = (which: 0 | 1 | 2) => [...remembered.values()].reduce((sum, { complete }) => sum + complete[which], 0);
  const failed = lacking.some(({ backupId, tier }) => history.isFailedCopy(backupId, tier));
  const local = config.tiers[0]?.name ?? "local";
  return {
    localBackups: count(0),
    remoteBackups: count(1),
    cloudBackups: count(2),
    lastSyncTime: (history.lastCopyAt ?? newestBeyond(holdings, local))?.toISOString() ?? null,
    syncStatus:
      failed || tiers.some(({ reachable }) => !reachable) ? "failed" : lacking.length > 0 ? "pending" : "success",
    diskUsage: diskUsage(config, totals),
    ok: (checked.length > 0 || isAllGone(orphans, news)) && checked.every(({ ok }) => ok) && !orphans.some(isVanished),
    databases: checked,
    tiers,
    orphans,
  };
}

/** Nothing is left to back up, and somebody has taken note of that; not where a server has never answered. */
function isAllGone(orphans: readonly Orphan[], { unknownServers }: DiscoveryNews): boolean {
  return (
    unknownServers.length === 0 &&
    orphans.some(({ reason, acknowledged }) => reason === "gone" && acknowledged !== null)
  );
}

function copiesOn(holdings: readonly (Holdings | null)[], name: string): (tier: string) => readonly HeldCopy[] {
  return (tier) => holdings.find((one) => one?.tier === tier)?.copies.get(name) ?? NONE;
}

function tierHealth(tier: Config["tiers"][number], seen: SeenTier | undefined): TierHealth {
  const { holdings = null, unreachable = null } = seen ?? {};
  const total = totalOf(holdings ?? { copies: new Map() });
  return {
    name: tier.name,
    kind: tier.kind,
    reachable: seen !== undefined && unreachable === null,
    unreachableSince: unreachable?.since?.toISOString() ?? null,
    problem: unreachable?.reason ?? null,
    scannedAt: holdings?.scannedAt.toISOString() ?? null,
    ...total.states,
    unknownReason: total.problem,
    bytes: total.bytes,
    free: holdings?.capacity?.free ?? null,
    total: holdings?.capacity?.total ?? null,
    overBudget: holdings !== null && checkBudget(tier, { copies: [total] }).message !== null,
  };
}

function isUnknown(seen: SeenTier | undefined): boolean {
  return !seen?.holdings || seen.unreachable !== null;
}

function isFuture(copy: HeldCopy | undefined, now: Date): boolean {
  return copy !== undefined && timeOfBackupId(copy.backupId).getTime() > now.getTime() + FUTURE_MS;
}

/** Places of the tiers of each kind. */
function kindsOf({ tiers }: Pick<Config, "tiers">): { local: number[]; servers: number[]; buckets: number[] } {
  const places = tiers.map(({ kind }, index) => ({ kind, index }));
  const indexes = (wanted: (place: (typeof places)[number]) => boolean) =>
    places.filter(wanted).map(({ index }) => index);
  return {
    local: indexes(({ index }) => index === 0),
    servers: indexes(({ kind, index }) => index > 0 && kind !== "s3"),
    buckets: indexes(({ kind }) => kind === "s3"),
  };
}

function completeOn(arrays: readonly (readonly HeldCopy[] | undefined)[], places: readonly number[]): number {
  const ids = new Set<string>();
  for (const place of places) {
    for (const { state, backupId } of arrays[place] ?? NONE) if (state === "complete") ids.add(backupId);
  }
  return ids.size;
}

/** What has been said of the backups of a database, as text. */
function marksByDatabase({ keep, acceptedFrom, problems }: Marks): (name: string) => string {
  const kept = Map.groupBy(keep, ([, { database }]) => database);
  return (name) =>
    JSON.stringify([
      (kept.get(name) ?? []).map(([id, { reason }]) => [id, reason]),
      acceptedFrom.get(name) ?? null,
      problems.length > 0,
    ]);
}

/** For a site whose record is young: when the newest backup on another tier was begun. */
function newestBeyond(holdings: readonly Holdings[], local: string): Date | null {
  let newest = 0;
  for (const { tier, copies } of holdings) {
    if (tier === local) continue;
    for (const those of copies.values()) {
      const last = those.findLast(({ state }) => state === "complete");
      if (last !== undefined) newest = Math.max(newest, effectiveTime(last));
    }
  }
  return newest === 0 ? null : new Date(newest);
}
