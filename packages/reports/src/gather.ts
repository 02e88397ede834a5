import type { AuditLog, RecordedEvent } from "@trivault/audit";
import { type Config, DAY_MS, type Language, TrivaultError } from "@trivault/core";
import { loadMarks, readInventories } from "@trivault/maintenance";
import { costOfCopies } from "@trivault/site";
import { FACT_ACTIONS, type Overview } from "@trivault/monitor";
import { COPY_ACTIONS, foldCopies } from "./copy-history.ts";
import { EVENT_ACTIONS, type OpenAlert, type ReportInput, windowOf } from "./input.ts";
import type { Interval } from "./intervals.ts";
import { foldReportRuns } from "./report-runs.ts";

export interface ReportRequest {
  readonly period: Interval;
  /** Only of this database. */
  readonly database: string | null;
  readonly language: Language;
}

export interface GatherDeps {
  readonly config: Config;
  readonly audit: Pick<AuditLog, "query" | "head">;
  readonly overview: Overview;
  readonly alerts: readonly OpenAlert[];
  readonly now: Date;
}

/** So many older events are looked through for copies that do not age. */
const MOST_OLDER = 200_000;

/** Reads the audit log once, from as long before the reported time as a copy may count. Needs no queue and no database. */
export async function gatherInput(deps: GatherDeps, request: ReportRequest): Promise<ReportInput> {
  const { config, audit, overview, now } = deps;
  checkRequest(overview, request);
  const { period } = request;
  const databases = overview.health.databases.filter(
    ({ name }) => request.database === null || name === request.database,
  );
  const reportedFrom = Math.min(period.from, windowOf(period).from);
  const objectives = databases.map(({ objectiveSeconds }) => (objectiveSeconds ?? 0) * 1000);
  const from = reportedFrom - Math.max(DAY_MS, ...objectives);
  const local = config.tiers[0]?.name ?? "local";

  const copies = foldCopies(local);
  const older = databases.filter(({ objectiveSeconds }) => objectiveSeconds === null);
  for (const event of await olderCopies(audit, older, { before: from, local })) copies.add(event);
  const tiersOf = new Map(databases.map(({ name, tiers }) => [name, tiers.map(({ tier }) => tier)]));
  const runs = foldReportRuns((database) => tiersOf.get(database) ?? null);
  const events: RecordedEvent[] = [];
  const held = new Map<string, RecordedEvent>();
  const action = [...new Set([...COPY_ACTIONS, ...FACT_ACTIONS, ...EVENT_ACTIONS])];
  // What was begun at the period's end has ended after it, and that is reported too; but no copy counts before its time.
  for await (const event of audit.query({ from: new Date(from), to: now, action })) {
    const { database, tier } = event;
    if (request.database !== null && database !== undefined && database !== request.database) continue;
    copies.add(event);
    runs.add(event);
    if (event.at.getTime() >= reportedFrom && KEPT.has(event.action)) events.push(event);
    if (event.action === "retention.held") {
      if (event.outcome === "ok") held.delete(`${database} ${tier}`);
      else held.set(`${database} ${tier}`, event);
    }
  }
  const [marks, costs] = await Promise.all([loadMarks(config), costsByDatabase(config)]);
  return {
    config,
    period,
    database: request.database,
    language: request.language,
    now,
    recordHead: audit.head(),
    overview,
    runsOf: (database) => runs.runsOf(database, now),
    copies: copies.history(),
    events: [...events, ...held.values()].toSorted((a, b) => a.seq - b.seq),
    marks,
    costs,
    alerts: deps.alerts,
  };
}

const KEPT: ReadonlySet<string> = new Set(EVENT_ACTIONS.filter((action) => action !== "retention.held"));

/** Throws where such a report cannot be made. */
export function checkRequest(overview: Overview, { period, database }: ReportRequest): void {
  if (period.to <= period.from) {
    throw new TrivaultError("INPUT_INVALID", "The period ends before it begins; it takes a time and a later one.", {
      permanent: true,
    });
  }
  const names = overview.health.databases.map(({ name }) => name);
  if (database === null || names.includes(database)) return;
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(database)} is configured here; there is ${names.join(", ") || "none"}.`,
    { permanent: true },
  );
}

/** The newest copies from before `before` of databases whose copies do not age; oldest first. */
async function olderCopies(
  audit: Pick<AuditLog, "query">,
  databases: readonly { readonly name: string; readonly tiers: readonly { readonly tier: string }[] }[],
  { before, local }: { readonly before: number; readonly local: string },
): Promise<RecordedEvent[]> {
  const missing = new Set(databases.flatMap(({ name, tiers }) => tiers.map(({ tier }) => `${name} ${tier}`)));
  const names = new Set(databases.map(({ name }) => name));
  const found: RecordedEvent[] = [];
  let looked = 0;
  if (missing.size === 0) return [];
  const filter = { to: new Date(before - 1), action: [...COPY_ACTIONS] };
  for await (const event of audit.query(filter, "newest-first")) {
    if (event.database !== undefined && names.has(event.database)) {
      found.push(event);
      const gain = event.outcome === "ok" && (event.action === "backup.encrypt" || event.action === "backup.copy");
      if (gain) missing.delete(`${event.database} ${event.tier ?? local}`);
    }
    if (missing.size === 0 || ++looked >= MOST_OLDER) break;
  }
  return found.toReversed();
}

/** A database is left out where one of the classes that it lies in has no price. */
async function costsByDatabase(config: Config): Promise<Map<string, number>> {
  const costs = new Map<string, number | null>();
  for (const inventory of await readInventories(config)) {
    const tier = config.tiers.find(({ name }) => name === inventory.tier);
    if (tier === undefined || Object.keys(tier.prices).length === 0) continue;
    for (const [database, copies] of Map.groupBy(inventory.copies, (copy) => copy.database)) {
      const { perMonth } = costOfCopies(tier, copies);
      const before = costs.get(database);
      costs.set(database, perMonth === null || before === null ? null : (before ?? 0) + perMonth);
    }
  }
  return new Map([...costs].flatMap(([database, cost]) => (cost === null ? [] : [[database, cost] as const])));
}
