import { LANGUAGES } from "@trivault/core";
import { z } from "zod";

/**
 * A report as JSON: times are ISO 8601 in UTC, durations seconds, sizes bytes, rates 0 to 1. Null is "not known" or "there
 * was none", never zero. `summary`, and the texts of decisions, are in the report's language; whatever else is said in words
 * is as it was recorded. A later version adds fields under the same number, and counts it up where one changes its meaning.
 */
const time = z.iso.datetime();
const count = z.int().nonnegative();
const bytes = z.number().nonnegative();
const seconds = z.number().nonnegative();
const share = z.number().min(0).max(1);
const period = z.object({ from: time, to: time });
const verdict = z.enum(["met", "missed", "unknown"]);

const runCounts = z.object({
  ok: count,
  /** The backup is there, but not on every tier. */
  incomplete: count,
  failed: count,
  /** Not at their end when the report was made; they count for no rate. */
  running: count,
  /** Slots that nothing was run for; they are no runs. */
  missed: count,
});

const durations = z.object({
  count,
  median: seconds.nullable(),
  p95: seconds.nullable(),
  worst: seconds.nullable(),
  target: seconds,
  /** How many took longer. */
  beyond: count,
});

const successRate = z.object({ value: share.nullable(), runs: count, objective: share, verdict });

const availability = z.object({
  /** The good share of the time that is known. */
  value: share.nullable(),
  knownSeconds: seconds,
  goodSeconds: seconds,
  /** The part of the time that was not good in which copies were there, but a tier could not be reached. */
  unreachableSeconds: seconds,
  objective: share,
  verdict,
});

const databaseReport = z.object({
  name: z.string(),
  /** Now: each of its tiers holds a good copy within the objective. */
  safe: z.boolean(),
  problem: z.string().nullable(),
  scheduled: z.boolean(),
  objectiveSeconds: seconds.nullable(),
  runs: runCounts,
  successRate: share.nullable(),
  /** From a run's beginning until it is sealed on the local tier. */
  backup: durations,
  /** From a run's beginning until the last of its tiers has it. */
  sync: durations,
  restore: durations,
  recoveryPoint: z.object({ seconds: seconds.nullable(), within: z.boolean().nullable() }),
  tiers: z.array(
    z.object({ tier: z.string(), ok: z.boolean(), backups: count, bytes, ageSeconds: seconds.nullable() }),
  ),
  /** The size of one backup, the newest of the period, and how much larger it is than the newest before the period (or its first). */
  size: z.object({ bytes: bytes.nullable(), change: z.number().nullable(), perDay: z.number().nullable() }),
  costPerMonth: z.number().nullable(),
  successRate30: successRate,
  availability30: availability,
});

const tierReport = z.object({
  name: z.string(),
  kind: z.enum(["local", "sftp", "s3"]),
  reachable: z.boolean(),
  /** In the period, as maintenance saw it. */
  unreachableSeconds: seconds,
  backups: count,
  damaged: count,
  untrusted: count,
  unknown: count.default(0),
  bytes,
  free: bytes.nullable(),
  total: bytes.nullable(),
  bytesPerDay: z.number().nullable(),
  fullAt: time.nullable(),
  overBudget: z.boolean(),
  costPerMonth: z.number().nullable(),
});

const failure = z.object({
  code: z.string(),
  stage: z.enum(["dump", "encrypt", "copy"]),
  tier: z.string().nullable(),
  /** The message of the newest of them. */
  message: z.string(),
  runs: count,
  databases: z.array(z.string()),
  firstAt: time,
  lastAt: time,
  /** Each of those databases has had a run since that succeeded. */
  recovered: z.boolean(),
  /** What to do, in the report's language. */
  advice: z.string(),
});

const decision = z.object({
  kind: z.enum([
    "unsafe",
    "tier-unreachable",
    "alert-open",
    "retention-held",
    "damaged",
    "untrusted",
    "unknown",
    "over-budget",
    "full-soon",
    "missed-slots",
    "no-schedule",
    "mark-unreadable",
    "mark-old",
    "not-verified",
    "not-restored",
  ]),
  severity: z.enum(["critical", "warning", "info"]),
  database: z.string().nullable(),
  tier: z.string().nullable(),
  since: time.nullable(),
  text: z.string(),
  /** A command to begin with, or null. */
  command: z.string().nullable(),
});

const check = z.object({ good: count, bad: count, lastAt: time.nullable(), databases: count });
const restore = z.object({
  at: time,
  database: z.string().nullable(),
  backupId: z.string().nullable(),
  outcome: z.enum(["ok", "failed", "refused"]),
  seconds: seconds.nullable(),
  bytes: bytes.nullable(),
  problem: z.string().nullable(),
});

export const reportSchema = z.object({
  format: z.literal("trivault-report"),
  version: z.literal(1),
  language: z.enum(LANGUAGES),
  /** The calendar and clock of the texts. */
  timeZone: z.string(),
  madeAt: time,
  /** The last event of the audit log then: whoever keeps the report can prove later that nothing before it was rewritten. */
  recordHead: z.object({ seq: count, hash: z.string() }).nullable().default(null),
  period,
  /** The 30 days up to the end of the period, for the two objectives. */
  window: period,
  /** Null: all of them. */
  database: z.string().nullable(),
  /** Nothing failed, and nothing needs a decision but what is merely worth knowing. */
  well: z.boolean(),
  summary: z.string(),
  /** A page of the dashboard. */
  link: z.string().nullable(),
  runs: runCounts,
  successRate: share.nullable(),
  successRate30: successRate,
  availability30: availability,
  databases: z.array(databaseReport),
  tiers: z.array(tierReport),
  failures: z.array(failure),
  decisions: z.array(decision),
  verifications: check,
  restores: z.object({ good: count, bad: count, list: z.array(restore) }),
  /**
   * By the day (of `timeZone`) on which runs were begun. `whole`: all of that day lies in the reported time; `bytes`: of
   * the backups that came of them, one copy of each.
   */
  days: z.array(
    z.object({
      day: z.iso.date(),
      whole: z.boolean(),
      ok: count,
      incomplete: count,
      failed: count,
      missed: count,
      bytes,
    }),
  ),
});

export type Report = z.infer<typeof reportSchema>;
export type DatabaseReport = Report["databases"][number];
export type TierReport = Report["tiers"][number];
export type Failure = Report["failures"][number];
export type Decision = Report["decisions"][number];
export type Durations = z.infer<typeof durations>;
export type RunCounts = z.infer<typeof runCounts>;
export type Rate = z.infer<typeof successRate>;
export type AvailabilityFigure = z.infer<typeof availability>;
export type Verdict = Rate["verdict"];
