import type { DatabaseHealth } from "@trivault/maintenance";
import { type Availability, databaseAvailability, siteAvailability, verdictOf } from "./availability.ts";
import { countDays } from "./days.ts";
import { findDecisions, whereUnsafe } from "./decisions.ts";
import { type FailedRun, groupFailures, isFailure } from "./failures.ts";
import { contains, type ReportInput, windowOf } from "./input.ts";
import { intersect, type Interval, lengthOf } from "./intervals.ts";
import {
  addCounts,
  beganIn,
  countRuns,
  endedRuns,
  type Missed,
  missedSlots,
  rateOf,
  recoveryPoint,
  sizeOf,
  successOf,
} from "./measure-runs.ts";
import { describeDurations } from "./numbers.ts";
import type { ReportRun } from "./report-runs.ts";
import type { AvailabilityFigure, DatabaseReport, Report, RunCounts, TierReport } from "./report.ts";
import { type Words, wordsOf } from "./texts/words.ts";

/** What all parts of a report share. */
interface Facts {
  readonly input: ReportInput;
  readonly window: Interval;
  readonly missedOf: ReadonlyMap<string, readonly Missed[]>;
  readonly words: Words;
}

/** A report of what its input says, and of nothing else. */
export function buildReport(input: ReportInput): Report {
  const { period, config, overview } = input;
  const window = windowOf(period);
  const timeZone = config.monitoring.reports.schedule?.timeZone ?? "UTC";
  const words = wordsOf(input.language, timeZone);
  const databases = overview.health.databases.filter(({ name }) => input.database === null || name === input.database);
  const names = new Set(databases.map(({ name }) => name));
  const missed = missedSlots(input.events).filter(({ database }) => names.has(database));
  const missedOf = Map.groupBy(missed, ({ database }) => database);
  const facts: Facts = { input, window, missedOf, words };
  const charted = { from: Math.min(period.from, window.from), to: period.to };
  const days = countDays(charted, timeZone, missed);
  const failed: FailedRun[] = [];
  const lastGood = new Map<string, number>();

  // Database by database: all runs of a large site together are many.
  const parts = databases.map((database) => {
    const { name, objectiveSeconds, tiers } = database;
    const question = { name, objectiveSeconds, tiers: tiers.map(({ tier }) => tier) };
    const available = databaseAvailability(question, input.copies, window);
    const runs = input.runsOf(name);
    for (const run of runs) days.add(run);
    failed.push(...runs.filter(isFailure).filter(beganIn(period)));
    const good = runs.findLast(({ state }) => state === "ok");
    if (good) lastGood.set(name, good.startedAt);
    const inWindow = countRuns(runs.filter(beganIn(window)), inside(missedOf.get(name) ?? [], window));
    return { available, inWindow, report: reportDatabase(database, { runs, available, inWindow }, facts) };
  });
  const reports = parts.map(({ report }) => report);
  const inPeriod = addCounts(reports.map((report) => report.runs));
  const inWindow = addCounts(parts.map((part) => part.inWindow));
  const { targets } = config.monitoring.reports;
  const missedNow = inside(missed, period);
  const decisions = findDecisions({ input, databases, missed: missedNow, words });
  const failures = groupFailures(failed, lastGood).map((failure) => {
    const advice = words.texts.advice[failure.code] ?? words.texts.advice[""] ?? "";
    return { ...failure, advice };
  });
  const well = databases.length > 0 && failures.length === 0 && decisions.every(({ severity }) => severity === "info");
  return {
    format: "trivault-report",
    version: 1,
    language: input.language,
    timeZone,
    madeAt: input.now.toISOString(),
    recordHead: input.recordHead,
    period: asTimes(period),
    window: asTimes(window),
    database: input.database,
    well,
    summary: summarise(databases, inPeriod, decisions, words),
    link: config.api.publicUrl,
    runs: inPeriod,
    successRate: successOf(inPeriod),
    successRate30: rateOf(inWindow, targets.successRate),
    availability30: figureOf(siteAvailability(parts.map(({ available }) => available)), window, targets.availability),
    databases: reports,
    tiers: reportTiers(facts),
    failures,
    decisions,
    verifications: countChecks(facts, names),
    restores: listRestores(facts, names),
    days: days.days(),
  };
}

interface DatabaseFacts {
  readonly runs: readonly ReportRun[];
  readonly available: Availability;
  readonly inWindow: RunCounts;
}

function reportDatabase(database: DatabaseHealth, own: DatabaseFacts, facts: Facts): DatabaseReport {
  const { input, window, words } = facts;
  const { period, config } = input;
  const { name, objectiveSeconds } = database;
  const { targets } = config.monitoring.reports;
  const missed = facts.missedOf.get(name) ?? [];
  const runs = own.runs.filter(beganIn(period));
  const counts = countRuns(runs, inside(missed, period));
  const longest = recoveryPoint(input.copies.databases.get(name), period);
  const restored = input.events.filter(
    (event) =>
      event.action === "backup.restored" &&
      event.outcome === "ok" &&
      event.database === name &&
      contains(period, event.at.getTime()),
  );
  return {
    name,
    safe: database.ok,
    problem: database.ok ? null : whereUnsafe(database, words.texts, words.format),
    scheduled: database.nextRun !== null,
    objectiveSeconds,
    runs: counts,
    successRate: successOf(counts),
    backup: describeDurations(runs.map((run) => run.backupSeconds).filter(isNumber), targets.backupSeconds),
    sync: describeDurations(runs.map((run) => run.syncSeconds).filter(isNumber), targets.syncSeconds),
    restore: describeDurations(restored.map(({ seconds }) => seconds).filter(isNumber), targets.restoreSeconds),
    recoveryPoint: {
      seconds: longest,
      within: longest === null || objectiveSeconds === null ? null : longest <= objectiveSeconds,
    },
    tiers: database.tiers.map(({ tier, ok, backups, bytes, ageSeconds }) => ({ tier, ok, backups, bytes, ageSeconds })),
    size: sizeOf(own.runs, period),
    costPerMonth: input.costs.get(name) ?? null,
    successRate30: rateOf(own.inWindow, targets.successRate),
    availability30: figureOf(own.available, window, targets.availability),
  };
}

function figureOf(available: Availability, window: Interval, objective: number): AvailabilityFigure {
  const [good, known] = [lengthOf(available.good), lengthOf(available.known)];
  return {
    value: known === 0 ? null : good / known,
    knownSeconds: Math.round(known / 1000),
    goodSeconds: Math.round(good / 1000),
    unreachableSeconds: Math.round(lengthOf(available.unreachable) / 1000),
    objective,
    verdict: verdictOf(available, window, objective),
  };
}

function reportTiers({ input }: Facts): TierReport[] {
  const { overview, copies, period } = input;
  return overview.health.tiers.map((tier) => {
    const row = overview.tiers.find(({ name }) => name === tier.name);
    const away = intersect(copies.unreachable.get(tier.name) ?? [], [period]);
    const { name, kind, reachable, damaged, untrusted, unknown, bytes, free, total, overBudget } = tier;
    return {
      name,
      kind,
      reachable,
      unreachableSeconds: Math.round(lengthOf(away) / 1000),
      backups: tier.complete,
      damaged,
      untrusted,
      unknown,
      bytes,
      free,
      total,
      bytesPerDay: row?.bytesPerDay ?? null,
      fullAt: row?.fullAt ?? null,
      overBudget,
      costPerMonth: row?.costPerMonth ?? null,
    };
  });
}

function countChecks({ input }: Facts, names: ReadonlySet<string>): Report["verifications"] {
  const checks = input.events.filter(
    ({ action, database, at }) =>
      action === "backup.verified" &&
      database !== undefined &&
      names.has(database) &&
      contains(input.period, at.getTime()),
  );
  return {
    good: checks.filter(({ outcome }) => outcome === "ok").length,
    bad: checks.filter(({ outcome }) => outcome !== "ok").length,
    lastAt: checks.at(-1)?.at.toISOString() ?? null,
    databases: new Set(checks.map(({ database }) => database)).size,
  };
}

const MOST_RESTORES = 20;

function listRestores({ input }: Facts, names: ReadonlySet<string>): Report["restores"] {
  const all = input.events.filter(
    ({ action, database, at }) =>
      action === "backup.restored" &&
      (database === undefined ? input.database === null : names.has(database)) &&
      contains(input.period, at.getTime()),
  );
  const list = all.slice(-MOST_RESTORES).map(({ at, database, backupId, outcome, seconds, bytes, error }) => ({
    at: at.toISOString(),
    database: database ?? null,
    backupId: backupId ?? null,
    outcome,
    seconds: seconds ?? null,
    bytes: bytes ?? null,
    problem: error?.message ?? null,
  }));
  const good = all.filter(({ outcome }) => outcome === "ok").length;
  return { good, bad: all.length - good, list };
}

function summarise(
  databases: readonly DatabaseHealth[],
  runs: Report["runs"],
  decisions: Report["decisions"],
  { texts: { summary }, format }: Words,
): string {
  if (databases.length === 0) return summary.noDatabase;
  const safe = databases.filter(({ ok }) => ok).length;
  const names = databases.length === 1 ? databases : databases.filter(({ ok }) => !ok);
  const shownNames = format.names(
    names.map(({ name }) => name),
    3,
  );
  const open = decisions.filter(({ severity }) => severity !== "info").length;
  return [
    summary.safe(safe, databases.length, shownNames),
    summary.runs(endedRuns(runs), runs),
    summary.decisions(open),
  ].join(" ");
}

function inside(missed: readonly Missed[], time: Interval): Missed[] {
  return missed.filter(({ moment }) => contains(time, moment));
}

function asTimes({ from, to }: Interval): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number";
}
