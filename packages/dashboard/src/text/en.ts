import type { CopyState } from "@trivault/core";
import { doings } from "./en-doings.ts";

/** All that people read on the pages, in English. `fr.ts` has the same keys; the compiler and a test see to it. */
export const en = {
  ...doings,
  skip: "Skip to the content",
  theme: "Theme",
  queueAway:
    "The queue cannot be reached, so nothing can be started now. What is shown comes from the audit log and the tiers.",
  signOut: "Sign out",
  and: " and ",
  since: "since",
  ago: (age: string) => `${age} ago`,
  list: (items: readonly string[]) => listOf(items, "and"),
  either: (items: readonly string[]) => listOf(items, "or"),
  showAll: (count: number) => `Show all ${count}`,
  copyTo: (tier: string) => `copy to ${tier}`,
  nav: {
    label: "Main",
    overview: "Overview",
    tiers: "Tiers",
    tier: "Tier",
    alerts: "Alerts",
    audit: "Audit log",
    reports: "Reports",
    queues: "Queues",
    firing: "firing",
  },
  verdict: {
    label: "State",
    asOf: "As of",
    old: "This is old: the tiers are not being looked at.",
    noDatabase: "No database is configured, so nothing is known to be safe",
    noTier: "No tier can be reached, so nothing is known to be safe now",
    /** `down`: there are others, which are not seen. */
    where: (tiers: number | null, down: boolean) =>
      tiers === null
        ? `in all their tiers${down ? " that can be reached" : ""}`
        : `in ${numberWord(tiers)} tier${tiers === 1 ? "" : "s"}`,
    many: (good: number, all: number, where: string) =>
      good === all ? `All ${all} databases are safe ${where}` : `${good} of ${all} databases are safe ${where}`,
    one: (name: string, good: boolean, where: string) => (good ? `${name} is safe ${where}` : `${name} is not safe`),
    more: (count: number) => `${count} more ${count === 1 ? "has a problem" : "have problems"}`,
    noBackup: "has no backup yet",
    noCopy: (where: string) => `has no copy on ${where}`,
    noNewCopy: (where: string) => `has no ${where} copy since`,
    unreachable: "cannot be reached",
  },
  overview: {
    databases: "Databases",
    database: "Database",
    runs: "Last 30 runs",
    size: "Size",
    ages: "Age of the newest good copy, of what the objective allows",
    sizeTrend: "Size over the last runs",
    next: "Next run",
    onDemand: "on demand",
    filter: "Filter by name",
    onlyProblems: (count: number) => `Only problems (${count})`,
    apply: "Apply",
    noMatch: "No database matches.",
    emptyTitle: "Nothing to back up yet",
    empty:
      "Name a database in DATABASE_URL or under “databases” in trivault.config.yaml. It appears here within seconds, and its first backup begins at once.",
  },
  copy: {
    safe: "Safe",
    late: "Late",
    none: "No copy",
    unseen: "Not seen",
    unread: (count: number) => `${count} could not be read`,
    notHere: "not kept here",
    lacking: (count: number) => `${count} missing`,
    of: (objective: string) => `of ${objective}`,
  },
  copyState: {
    complete: "complete",
    damaged: "damaged",
    untrusted: "not trusted",
    partial: "not complete",
    absent: "not there",
    unknown: "not known",
    coming: "to be copied",
  },
  databaseState: { ok: "Safe", warn: "Needs attention", bad: "Not safe" },
  runState: { ok: "succeeded", incomplete: "incomplete", failed: "failed", running: "running" },
  backupState: {
    queued: "waiting",
    running: "running",
    ok: "complete on every tier",
    incomplete: "not on every tier",
    failed: "failed",
    unknown: "not known",
  },
  stage: { dump: "dump", encrypt: "encrypt", copy: "copy" },
  stageState: { waiting: "waiting", active: "running", retrying: "trying again", completed: "done", failed: "failed" },
  outcome: { ok: "succeeded", failed: "failed", refused: "refused" },
  checkOutcome: { ok: "passed", unknown: "not known from here", failed: "failed" },
  strip: {
    none: "no run yet",
    words: ({ runs, failed, incomplete, running }: RunCounts) =>
      [
        `${runs} run${runs === 1 ? "" : "s"}`,
        failed > 0 ? `${failed} failed` : "none failed",
        ...(incomplete > 0 ? [`${incomplete} incomplete`] : []),
        ...(running > 0 ? [`${running} running`] : []),
      ].join(", "),
  },
  run: {
    started: "Started",
    result: "Result",
    stages: "Stages",
    took: "Took",
    by: "By",
    attempts: (count: number) => `${count} attempts`,
  },
  actor: { schedule: "schedule", maintenance: "maintenance" },
  tier: {
    kind: { local: "local disk", sftp: "server (SFTP)", s3: "object storage (S3)" },
    well: "Healthy",
    unreachable: "Unreachable",
    unknown: "Not looked at yet",
    overBudget: "Over its budget",
    damaged: (count: number) => `${count} damaged`,
    untrusted: (count: number) => `${count} not trusted`,
    unread: (count: number) => `${count} could not be read`,
    inBackups: (count: string) => (count === "1" ? "in 1 backup" : `in ${count} backups`),
    used: (share: string) => `${share} used`,
    free: (bytes: string, share: string) => `${bytes} free (${share})`,
    fullOn: "full on",
    noLimit: "no limit known",
    room: "Room",
    growth: "Growth",
    latency: "Latency",
    cost: "Cost",
    perDay: (bytes: string) => `${bytes} a day`,
    perMonth: (money: string) => `${money} a month`,
    lookedAt: "looked at",
    allWhole: "all whole",
    notWhole: ({ damaged, untrusted, partial, unknown }: Record<Exclude<CopyState, "complete">, number>) =>
      [
        ...(damaged > 0 ? [`${damaged} damaged`] : []),
        ...(untrusted > 0 ? [`${untrusted} not trusted`] : []),
        ...(partial > 0 ? [`${partial} not complete`] : []),
        ...(unknown > 0 ? [`${unknown} could not be read`] : []),
      ].join(", "),
    held: "Held",
    full: "Full on",
    notForeseen: "not in sight",
    atThisRate: "at this rate",
    smallQuestion: "for a small request",
    noPrices: "no prices configured",
    heldOverTime: "Held over time",
    latencyOverTime: "Latency over time",
    byDatabase: "By database",
    storageClass: "Storage class",
    verifications: "Verifications",
    neverVerified: "No backup on it was verified in the last 35 days.",
    foundGood: "every byte is as it should be",
    foundDamage: "damage was found",
  },
  database: {
    successRate: "Success rate",
    ofRuns: (count: number) => (count === 1 ? "of 1 run in 30 days" : `of ${count} runs in 30 days`),
    recoveryPoint: "Recovery point",
    longestGap: "longest gap in 30 days",
    recoveryTime: "Recovery time",
    neverRestored: "never measured",
    lastRestore: "the last restore",
    objective: "Objective",
    anyCopy: "any copy will do",
    perTier: "for each tier",
    noneMissed: "no run missed",
    missed: (count: number) => (count === 1 ? "1 run missed" : `${count} runs missed`),
    copies: "Copies",
    state: "State",
    newest: "Newest",
    backups: "Backups",
    charts: "Over time",
    sizeOverTime: "Size of a backup",
    durationOverTime: "Duration of a run",
    retention: "What is kept",
    allBackups: (count: number) =>
      count === 1 ? "The backup, and why it is kept" : `All ${count} backups, and why each is kept`,
    noBackups: "There is no backup.",
    runs: "Runs",
    restores: "Restores",
    neverRestoredLong:
      "None in the last 35 days. Until one was, nobody knows how long it takes, nor that it works: restore one into a new database.",
  },
  calendar: {
    goes: "to be deleted",
    heldUntil: "to be deleted by changed rules, not before",
    day: (count: number, where: string) => `${count} backup${count === 1 ? "" : "s"} on ${where}`,
  },
  keep: { kept: (reason: string) => `Kept: ${reason}` },
  backup: {
    stages: "Stages",
    segments: (count: number) => (count === 1 ? "1 segment" : `${count} segments`),
    job: "job",
    objects: "Objects",
    of: (count: number, all: number) => `${count} of ${all}`,
    why: "Why",
    manifest: "Manifest",
    completed: "Completed",
    server: "PostgreSQL",
    tools: "Made by",
    encryption: "Encryption",
    sealed: (recipients: number) => `age, for ${recipients} recipient${recipients === 1 ? "" : "s"}`,
    plain: "none",
    segmentCount: "Segments",
    opensTo: (bytes: string) => `${bytes} compressed, before encryption`,
    signed: "Signed by",
    unsigned: "nobody",
    aboutBytes: (bytes: string) => `about ${bytes}`,
    startedBy: (by: string) => `by ${by}`,
    took: (time: string) => `took ${time}`,
    restoreByHand: "Restore it on any machine",
    notBegun: "not begun",
    restoreHint: "With this program, the identity file and one tier; neither this page nor the queue is needed.",
    copy: "Copy",
    log: "What happened",
    noLog: "The audit log holds nothing of it.",
  },
};

export type Texts = typeof en;

export interface RunCounts {
  readonly runs: number;
  readonly failed: number;
  readonly incomplete: number;
  readonly running: number;
}

const WORDS = ["no", "one", "two", "three", "four", "five", "six"];

function numberWord(count: number): string {
  return WORDS[count] ?? String(count);
}

export function listOf(items: readonly string[], and: string): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${and} ${items.at(-1)}`;
}
