import { DAY_MS, isBackupId, shellWord, timeOfBackupId } from "@trivault/core";
import type { DatabaseHealth } from "@trivault/maintenance";
import type { Format } from "./format.ts";
import type { ReportInput } from "./input.ts";
import type { Missed } from "./measure-runs.ts";
import type { Decision, Report } from "./report.ts";
import type { Texts } from "./texts/texts.ts";
import type { Words } from "./texts/words.ts";

/** Described one by one; more are only named. */
const MOST_UNSAFE = 10;
const MOST_MARKS = 10;
const OLD_MARK_MS = 180 * DAY_MS;
const DRILL_DAYS = 30;

export interface DecisionFacts {
  readonly input: ReportInput;
  /** Those that the report is about. */
  readonly databases: readonly DatabaseHealth[];
  /** In the period. */
  readonly missed: readonly Missed[];
  readonly words: Words;
}

type Draft = Pick<Decision, "kind" | "severity" | "text"> & Partial<Decision>;

/** What somebody has to look at or say, the worst first. */
export function findDecisions(facts: DecisionFacts): Decision[] {
  const all = [
    ...unsafe(facts),
    ...aboutTiers(facts),
    ...alerts(facts),
    ...held(facts),
    ...missedSlots(facts),
    ...marks(facts),
    ...schedules(facts),
    ...drills(facts),
  ];
  const order: Report["decisions"][number]["severity"][] = ["critical", "warning", "info"];
  return all
    .map((draft): Decision => ({ database: null, tier: null, since: null, command: null, ...draft }))
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function unsafe({ input, databases, words: { texts, format } }: DecisionFacts): Draft[] {
  if (databases.length === 0) {
    const text = texts.summary.noDatabase;
    return [{ kind: "unsafe", severity: "critical", text, command: "npm run backup:config:check" }];
  }
  const bad = databases.filter(({ ok }) => !ok);
  const described = bad.slice(0, MOST_UNSAFE).map((database): Draft => {
    const command = `npm run ${remedyOf(database, input)} -- --database ${shellWord(database.name)}`;
    const text = texts.decision.unsafe(database.name, whereUnsafe(database, texts, format));
    return { kind: "unsafe", severity: "critical", database: database.name, text, command };
  });
  const names = bad.slice(MOST_UNSAFE).map(({ name }) => name);
  if (names.length === 0) return described;
  const text = texts.decision.manyUnsafe(names.length, format.names(names, 20));
  return [...described, { kind: "unsafe", severity: "critical", text, command: "npm run backup:health" }];
}

/** A new backup where even the local tier lacks one; else the copy that another tier lacks. */
function remedyOf({ tiers }: DatabaseHealth, { config }: ReportInput): string {
  const bad = new Set(tiers.filter(({ ok }) => !ok).map(({ tier }) => tier));
  const [local, ...others] = config.tiers;
  const lacking = others.find(({ name }) => bad.has(name));
  if (local === undefined || bad.has(local.name) || lacking === undefined) return "backup:run";
  return lacking.kind === "s3" ? "backup:cloud:sync" : "backup:sync:sync";
}

/** Tiers that lack the same say so together. */
export function whereUnsafe({ tiers, objectiveSeconds }: DatabaseHealth, texts: Texts, format: Format): string {
  const bad = tiers.filter(({ ok }) => !ok);
  if (bad.length === tiers.length && bad.every(({ newestBackupId }) => newestBackupId === null)) {
    return texts.decision.noBackup;
  }
  const parts = [...Map.groupBy(bad, ({ newestBackupId }) => newestBackupId)].map(([newest, those]) => {
    const names = format.names(those.map(({ tier }) => tier));
    const age = format.duration(those[0]?.ageSeconds ?? 0);
    if (newest === null) return texts.decision.noCopy(names);
    return texts.decision.oldCopy(names, age, format.duration(objectiveSeconds ?? 0));
  });
  return parts.join(texts.semicolon);
}

function aboutTiers({ input, words: { texts, format } }: DecisionFacts): Draft[] {
  const { overview, config } = input;
  const { thresholds } = config.monitoring.alerts;
  const soon = input.now.getTime() + thresholds.fullInSeconds * 1000;
  return overview.health.tiers.flatMap((tier): Draft[] => {
    const { name, kind, unreachableSince, free, total } = tier;
    const row = overview.tiers.find((each) => each.name === name);
    const noun = kind === "s3" ? "cloud" : "sync";
    const found: Draft[] = [];
    if (!tier.reachable) {
      const since = unreachableSince === null ? null : format.time(unreachableSince);
      const text = texts.decision.tierUnreachable(name, since, tier.problem ?? "");
      const command = kind === "local" ? "npm run backup:config:check" : `npm run backup:${noun}:test`;
      found.push({ kind: "tier-unreachable", severity: "critical", since: unreachableSince, text, command });
    }
    if (tier.damaged > 0) {
      const text = texts.decision.damaged(tier.damaged, name);
      const command = "npm run backup:verify -- --backup all";
      found.push({ kind: "damaged", severity: "warning", text, command });
    }
    if (tier.untrusted > 0) {
      const command = "npm run backup:list";
      found.push({
        kind: "untrusted",
        severity: "warning",
        text: texts.decision.untrusted(tier.untrusted, name),
        command,
      });
    }
    if (tier.unknown > 0) {
      const text = texts.decision.unknown(tier.unknown, name, tier.unknownReason ?? "");
      found.push({ kind: "unknown", severity: "warning", text, command: "npm run backup:health" });
    }
    if (tier.overBudget) {
      const command = kind === "local" ? "npm run backup:rotate -- --dry-run" : `npm run backup:${noun}:stats`;
      const text = texts.decision.overBudget(name, format.bytes(tier.bytes));
      found.push({ kind: "over-budget", severity: "warning", text, command });
    }
    const fullAt = row?.fullAt ?? null;
    const little = free !== null && total !== null && total > 0 && free / total < thresholds.leastFree;
    if (free !== null && (little || (fullAt !== null && Date.parse(fullAt) < soon))) {
      const when = fullAt === null ? null : format.time(fullAt);
      const text = texts.decision.fullSoon(name, when, format.bytes(free));
      found.push({ kind: "full-soon", severity: "warning", text, command: "npm run backup:rotate -- --dry-run" });
    }
    return found.map((draft) => ({ ...draft, tier: name }));
  });
}

function alerts({ input, words: { texts, format } }: DecisionFacts): Draft[] {
  return input.alerts.map(({ severity, title, since }) => {
    const text = texts.decision.alertOpen(title, format.time(since.toISOString()));
    return { kind: "alert-open", severity, since: since.toISOString(), text };
  });
}

function held({ input, databases, words: { texts } }: DecisionFacts): Draft[] {
  const names = new Set(databases.map(({ name }) => name));
  return input.events.flatMap(({ action, database, tier, at, details }): Draft[] => {
    if (action !== "retention.held" || database === undefined || tier === undefined || !names.has(database)) return [];
    const kind = input.config.tiers.find(({ name }) => name === tier)?.kind ?? "local";
    const verb = { local: "rotate", sftp: "sync:cleanup", s3: "cloud:cleanup" }[kind];
    const command = `npm run backup:${verb} -- --database ${shellWord(database)} --dry-run`;
    const text = texts.decision.retentionHeld(
      database,
      tier,
      String(details?.["message"] ?? ""),
      details?.["why"] === "rules",
    );
    return [{ kind: "retention-held", severity: "warning", database, tier, since: at.toISOString(), text, command }];
  });
}

function missedSlots({ missed, words: { texts, format } }: DecisionFacts): Draft[] {
  return [...Map.groupBy(missed, ({ database }) => database)].map(([database, those]) => {
    const slots = those.reduce((sum, each) => sum + each.slots, 0);
    const since = those[0]?.at ?? null;
    const text = texts.decision.missedSlots(database, slots, format.time(since ?? ""));
    const command = `npm run backup:audit:logs -- --action schedule.missed --database ${shellWord(database)}`;
    return { kind: "missed-slots", severity: "warning", database, since, text, command };
  });
}

function marks({ input, databases, words: { texts, format } }: DecisionFacts): Draft[] {
  const names = new Set(databases.map(({ name }) => name));
  const problems = input.marks.problems.map((problem): Draft => {
    return { kind: "mark-unreadable", severity: "warning", text: texts.decision.markUnreadable(problem) };
  });
  const old = [...input.marks.keep]
    .filter(([id, { database }]) => isBackupId(id) && names.has(database))
    .map(([backupId, mark]) => ({ backupId, ...mark, age: input.now.getTime() - mark.at.getTime() }))
    .filter(({ age }) => age > OLD_MARK_MS)
    .toSorted((a, b) => timeOfBackupId(a.backupId).getTime() - timeOfBackupId(b.backupId).getTime())
    .slice(0, MOST_MARKS)
    .map(({ backupId, database, reason, at, age }): Draft => {
      const text = texts.decision.markOld(database, backupId, format.duration(age / 1000), reason);
      const command = `npm run backup:keep:remove -- ${backupId}`;
      return { kind: "mark-old", severity: "info", database, since: at.toISOString(), text, command };
    });
  return [...problems, ...old];
}

function schedules({ databases, words: { texts, format } }: DecisionFacts): Draft[] {
  const without = databases.filter(({ nextRun }) => nextRun === null).map(({ name }) => name);
  if (without.length === 0) return [];
  const text = texts.decision.noSchedule(without.length, format.names(without));
  return [{ kind: "no-schedule", severity: "info", text, command: "npm run backup:config:check" }];
}

/** About the whole site: that nothing was tried lately with one database is said in its own row. */
function drills({ input, databases, words: { texts } }: DecisionFacts): Draft[] {
  if (databases.length === 0) return [];
  const names = new Set(databases.map(({ name }) => name));
  const since = input.period.to - DRILL_DAYS * DAY_MS;
  const done = (action: string) =>
    input.events.some(
      (event) =>
        event.action === action &&
        event.outcome === "ok" &&
        event.at.getTime() >= since &&
        event.database !== undefined &&
        names.has(event.database),
    );
  const found: Draft[] = [];
  if (!done("backup.restored")) {
    const command = "npm run backup:restore -- --help";
    found.push({ kind: "not-restored", severity: "info", text: texts.decision.notRestored(DRILL_DAYS), command });
  }
  if (!done("backup.verified")) {
    const command = "npm run backup:verify -- --backup latest";
    found.push({ kind: "not-verified", severity: "info", text: texts.decision.notVerified(DRILL_DAYS), command });
  }
  return found;
}
