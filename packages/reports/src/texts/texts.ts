import type { Format } from "../format.ts";
import type { Decision, Failure, Report, Verdict } from "../report.ts";

/** The words of a language. Functions take what is written already (`Format`). */
export interface Texts {
  /** As the language sets them, with the space behind. */
  readonly colon: string;
  readonly semicolon: string;
  readonly more: (count: number) => string;
  readonly title: (days: number, database: string | null) => string;
  readonly subject: (well: boolean, title: string, day: string) => string;
  readonly period: (from: string, to: string, zone: string) => string;
  readonly summary: {
    readonly noDatabase: string;
    readonly safe: (safe: number, all: number, names: string) => string;
    readonly runs: (ended: number, counts: Report["runs"]) => string;
    readonly decisions: (count: number) => string;
  };
  readonly well: string;
  readonly attention: string;
  readonly danger: string;
  readonly severity: Readonly<Record<Decision["severity"], string>>;
  readonly verdict: Readonly<Record<Verdict, string>>;
  readonly headings: Readonly<
    Record<
      | "decisions"
      | "failures"
      | "durations"
      | "copies"
      | "tiers"
      | "checks"
      | "daily"
      | "volume"
      | "objectives"
      | "figures",
      string
    >
  >;
  readonly words: Readonly<
    Record<
      | "database"
      | "databases"
      | "safe"
      | "safeNow"
      | "notSafe"
      | "runs"
      | "success"
      | "successRate"
      | "availability"
      | "backup"
      | "sync"
      | "restore"
      | "recoveryPoint"
      | "copiesPerTier"
      | "size"
      | "growth"
      | "cost"
      | "costPerMonth"
      | "tier"
      | "state"
      | "backups"
      | "held"
      | "free"
      | "perDay"
      | "full"
      | "reachable"
      | "unreachable"
      | "none"
      | "notKnown"
      | "never"
      | "okRuns"
      | "incompleteRuns"
      | "failedRuns"
      | "missedRuns"
      | "over"
      | "since"
      | "until"
      | "now"
      | "outcomeOk"
      | "outcomeFailed"
      | "outcomeRefused"
      | "total"
      | "whatToDo"
      | "openDashboard"
      | "thirtyDays"
      | "duration",
      string
    >
  >;
  readonly stage: Readonly<Record<Failure["stage"], (tier: string | null) => string>>;
  /** By code of the error; `""` for all others. */
  readonly advice: Readonly<Record<string, string>>;
  readonly notes: {
    readonly target: (target: string) => string;
    readonly durations: (backup: string, sync: string, restore: string) => string;
    readonly spread: string;
    readonly beyond: (count: number) => string;
    readonly objective: (objective: string) => string;
    readonly knownTime: (known: string) => string;
    readonly awayTime: (away: string) => string;
    readonly badTime: (bad: string) => string;
    readonly failedRuns: (runs: number, databases: string) => string;
    readonly when: (first: string, last: string, runs: number) => string;
    readonly recovered: string;
    readonly notRecovered: string;
    readonly noDecision: string;
    readonly noFailure: string;
    readonly verified: (good: number, bad: number, databases: number) => string;
    readonly notVerified: string;
    readonly restored: (good: number, bad: number) => string;
    readonly notRestored: string;
    readonly asTheyShouldBe: (count: number) => string;
    readonly daysText: (format: Format, days: Report["days"]) => string;
    readonly volumeText: (format: Format, days: Report["days"]) => string;
    readonly footer: (made: string) => string;
    readonly recordEnd: (seq: number, hash: string) => string;
    readonly method: string;
    readonly moreNotable: (count: number) => string;
    readonly attached: string;
    readonly damaged: (count: number) => string;
    readonly untrusted: (count: number) => string;
    readonly unknown: (count: number) => string;
    readonly overBudget: string;
    readonly wasAway: (time: string) => string;
  };
  readonly decision: {
    readonly unsafe: (database: string, where: string) => string;
    readonly noCopy: (tiers: string) => string;
    readonly oldCopy: (tiers: string, age: string, objective: string) => string;
    readonly noBackup: string;
    readonly manyUnsafe: (count: number, names: string) => string;
    readonly tierUnreachable: (tier: string, since: string | null, reason: string) => string;
    readonly alertOpen: (title: string, since: string) => string;
    readonly retentionHeld: (database: string, tier: string, message: string, rulesChanged: boolean) => string;
    readonly damaged: (count: number, tier: string) => string;
    readonly untrusted: (count: number, tier: string) => string;
    readonly unknown: (count: number, tier: string, reason: string) => string;
    readonly overBudget: (tier: string, bytes: string) => string;
    readonly fullSoon: (tier: string, when: string | null, free: string) => string;
    readonly missedSlots: (database: string, slots: number, when: string) => string;
    readonly noSchedule: (count: number, names: string) => string;
    readonly markUnreadable: (problem: string) => string;
    readonly markOld: (database: string, backupId: string, age: string, reason: string) => string;
    readonly notVerified: (days: number) => string;
    readonly notRestored: (days: number) => string;
  };
}
