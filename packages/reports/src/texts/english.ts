import type { Texts } from "./texts.ts";

const s = (count: number) => (count === 1 ? "" : "s");
const are = (count: number) => (count === 1 ? "is" : "are");

export const ENGLISH: Texts = {
  colon: ": ",
  semicolon: "; ",
  more: (count) => `${count} more`,
  title: (days, database) =>
    `${days === 1 ? "Daily report" : days === 7 ? "Weekly report" : "Report"}${database === null ? "" : ` on ${database}`}`,
  subject: (well, title, day) => `${well ? "[ok]" : "[attention]"} Trivault: ${title.toLowerCase()}, ${day}`,
  period: (from, to, zone) => `${from} to ${to} (${zone})`,
  summary: {
    noDatabase: "No database is configured here, so nothing is known to be safe.",
    safe: (safe, all, names) => {
      if (safe === all)
        return all === 1 ? `${names} is safe on all its tiers.` : `All ${all} databases are safe on all their tiers.`;
      if (all === 1) return `${names} is not safe.`;
      return `${safe} of ${all} databases are safe on all their tiers; ${names} ${are(all - safe)} not.`;
    },
    runs: (ended, { ok, incomplete, failed, missed }) => {
      const bad = [
        failed > 0 ? `${failed} failed` : "",
        incomplete > 0 ? `${incomplete} did not reach every tier` : "",
        missed > 0 ? `${missed} ${missed === 1 ? "was" : "were"} missed` : "",
      ].filter((part) => part !== "");
      if (ended === 0) return `No backup was made${missed > 0 ? `, and ${bad.join(", ")}` : ""}.`;
      if (bad.length === 0) return ended === 1 ? "The one backup succeeded." : `All ${ended} backups succeeded.`;
      return `${ok} of ${ended} backups succeeded: ${bad.join(", ")}.`;
    },
    decisions: (count) =>
      count === 0 ? "Nothing needs a decision." : `${count} thing${s(count)} need${count === 1 ? "s" : ""} a decision.`,
  },
  well: "Everything is healthy",
  attention: "Needs attention",
  danger: "Not safe",
  severity: { critical: "critical", warning: "warning", info: "worth knowing" },
  verdict: { met: "met", missed: "missed", unknown: "not known yet" },
  headings: {
    decisions: "Needs a decision",
    failures: "What failed, and why",
    durations: "Runs and durations",
    copies: "Copies, growth and cost",
    tiers: "Tiers",
    checks: "Checks and restore drills",
    daily: "Backups per day",
    volume: "Bytes backed up per day",
    objectives: "Objectives, over 30 days",
    figures: "At a glance",
  },
  words: {
    database: "Database",
    databases: "Databases",
    safe: "safe",
    safeNow: "Safe now",
    notSafe: "NOT SAFE",
    runs: "Succeeded",
    success: "Success",
    successRate: "Success rate",
    availability: "Availability",
    backup: "Backup",
    sync: "To the last tier",
    restore: "Restore",
    recoveryPoint: "Recovery point",
    copiesPerTier: "Copies",
    size: "Size",
    growth: "Growth",
    cost: "Cost",
    costPerMonth: "Cost a month",
    tier: "Tier",
    state: "State",
    backups: "Backups",
    held: "Holds",
    free: "Free",
    perDay: "a day",
    full: "Full",
    reachable: "ok",
    unreachable: "UNREACHABLE",
    none: "none",
    notKnown: "not known",
    never: "not in sight",
    okRuns: "succeeded",
    incompleteRuns: "not on every tier",
    failedRuns: "failed",
    missedRuns: "missed",
    over: "over",
    since: "since",
    until: "until",
    now: "now",
    outcomeOk: "ok",
    outcomeFailed: "FAILED",
    outcomeRefused: "refused",
    total: "All",
    whatToDo: "To do",
    openDashboard: "Open the dashboard",
    thirtyDays: "30 days",
    duration: "Took",
  },
  stage: {
    dump: () => "dump",
    encrypt: () => "encryption",
    copy: (tier) => `copy to ${tier ?? "a tier"}`,
  },
  advice: {
    DATABASE_UNREACHABLE:
      "See that the server runs and lets this machine in; npm run backup:config:check tests the connection.",
    DATABASE_REFUSED: "See to the role's password and rights on the server; npm run backup:config:check tests them.",
    TOOL_MISSING: "Install pg_dump of the server's version or newer on each worker.",
    TOOL_TOO_OLD: "Install pg_dump of the server's version or newer on each worker.",
    STORE_UNREACHABLE: "See to the network and the server; what is missing is copied by itself once the tier answers.",
    STORE_REFUSED:
      "See to the account's rights on the tier; npm run backup:sync:test or backup:cloud:test shows which step is refused.",
    STORE_FULL: "Make room there, raise the budget, or keep fewer backups; then what is missing is copied by itself.",
    STORE_FAILED: "See to the disk or service that the tier lies on.",
    HOST_KEY: "Find out why the server shows another key before you trust it: it may be another machine.",
    KEY_FILE: "Put the key file back, or point the setting to it.",
    CORRUPT:
      "See to the disk of that tier; npm run backup:verify shows which copies are damaged, maintenance makes them anew.",
    UNTRUSTED: "Find out who wrote that copy; only copies signed by a known key count.",
    CONFIG_INVALID: "Correct the setting that the message names; npm run backup:config:check shows all that is wrong.",
    ABANDONED:
      "Nothing, if it stays rare: a worker ended or hung, and another one took over. See its log if it comes again.",
    QUEUE_UNREACHABLE: "See that Redis runs.",
    "": "Read the message above; npm run backup:audit:logs -- --outcome failed shows each of them.",
  },
  notes: {
    target: (target) => `target ${target}`,
    durations: (backup, sync, restore) =>
      `Median, 95th percentile and worst. Targets: backup under ${backup}, on the last tier under ${sync}, restore under ${restore}; what is beyond is marked !.`,
    spread: "median / p95 / worst",
    beyond: (count) => `${count} beyond`,
    objective: (objective) => `objective ${objective}`,
    knownTime: (known) => `the audit log covers ${known} of 30 days`,
    awayTime: (away) => `${away} of it because a tier could not be reached`,
    badTime: (bad) => `not available for ${bad}`,
    failedRuns: (runs, databases) => `${runs} run${s(runs)} of ${databases}`,
    when: (first, last, runs) => (runs === 1 ? first : `${first} to ${last}`),
    recovered: "Each has succeeded since.",
    notRecovered: "Not every one has succeeded since.",
    noDecision: "Nothing. Everything is as it was ordered.",
    noFailure: "Nothing failed.",
    verified: (good, bad, databases) =>
      `${good + bad} cop${good + bad === 1 ? "y" : "ies"} of ${databases} database${s(databases)} read back byte by byte: ${bad === 0 ? "all good" : `${good} good, ${bad} BAD`}.`,
    notVerified: "No copy was read back and checked.",
    restored: (good, bad) =>
      `${good + bad} restore${s(good + bad)}: ${bad === 0 ? "all good" : `${good} good, ${bad} not`}.`,
    notRestored: "No backup was restored.",
    asTheyShouldBe: (count) =>
      `${count} more database${s(count)} ${are(count)} safe, and nothing about ${count === 1 ? "it" : "them"} failed or took too long.`,
    daysText: (format, days) => {
      const bad = days.filter(({ failed, incomplete, missed }) => failed + incomplete + missed > 0);
      const sum = days.reduce((all, { ok, incomplete, failed }) => all + ok + incomplete + failed, 0);
      if (sum === 0 && bad.length === 0) return `${days.length} days without a backup.`;
      const shown = bad.slice(-6).map(({ day, failed, incomplete, missed }) => {
        const what = [
          failed > 0 ? `${failed} failed` : "",
          incomplete > 0 ? `${incomplete} not on every tier` : "",
          missed > 0 ? `${missed} missed` : "",
        ];
        return `${format.shortDay(day)} ${what.filter((part) => part !== "").join(", ")}`;
      });
      const rest = bad.length > shown.length ? `; ${bad.length - shown.length} earlier days with problems` : "";
      return `${format.count(sum)} backups in ${days.length} days; ${bad.length === 0 ? "none failed" : `${shown.join("; ")}${rest}`}.`;
    },
    volumeText: (format, days) => {
      const full = days.filter(({ whole, ok, incomplete }) => whole && ok + incomplete > 0);
      const [first, last] = [full[0], full.at(-1)];
      if (!first || !last) return "Nothing was backed up.";
      const most = full.reduce((a, b) => (b.bytes > a.bytes ? b : a));
      return `${format.shortDay(first.day)} ${format.bytes(first.bytes)}, ${format.shortDay(last.day)} ${format.bytes(last.bytes)}; most on ${format.shortDay(most.day)}, ${format.bytes(most.bytes)}.`;
    },
    footer: (made) => `Made ${made} by Trivault from its audit log.`,
    recordEnd: (seq, hash) => `Its last event then was ${seq}, hash ${hash}.`,
    method:
      "Availability is the share of the time in which every tier could be reached and held a good copy within the objective, by recorded events; time before the audit log begins is not known and counts neither way.",
    moreNotable: (count) => `${count} more database${s(count)} of which something is to be looked at.`,
    attached: "The whole report, with every database, is attached.",
    damaged: (count) => `${count} damaged`,
    untrusted: (count) => `${count} untrusted`,
    unknown: (count) => `${count} could not be read`,
    overBudget: "over budget",
    wasAway: (time) => `away for ${time}`,
  },
  decision: {
    unsafe: (database, where) => `${database} is not safe: ${where}.`,
    noCopy: (tiers) => `no copy on ${tiers}`,
    oldCopy: (tiers, age, objective) => `the newest copy on ${tiers} is ${age} old, and may be ${objective}`,
    noBackup: "it has no backup at all",
    manyUnsafe: (count, names) => `${count} more databases are not safe: ${names}.`,
    tierUnreachable: (tier, since, reason) =>
      `The tier ${tier} cannot be reached${since === null ? "" : ` since ${since}`}: ${reason}`,
    alertOpen: (title, since) => `The alert “${title}” is open since ${since}.`,
    retentionHeld: (database, tier, message) =>
      message === ""
        ? `Retention of ${database} on ${tier} is held: nothing is deleted there until somebody says so.`
        : message,
    damaged: (count, tier) =>
      `${count} cop${count === 1 ? "y" : "ies"} on ${tier} ${are(count)} damaged; maintenance makes ${count === 1 ? "it" : "them"} anew where another tier has a good one.`,
    untrusted: (count, tier) =>
      `${count} cop${count === 1 ? "y" : "ies"} on ${tier} bear${count === 1 ? "s" : ""} the signature of no key known here: somebody else made or changed ${count === 1 ? "it" : "them"}, or a key is missing.`,
    unknown: (count, tier, reason) =>
      `${count} cop${count === 1 ? "y" : "ies"} on ${tier} could not be read, so nothing is known of ${count === 1 ? "it" : "them"}${reason === "" ? "." : `: ${reason}`}`,
    overBudget: (tier, bytes) => `The tier ${tier} is over its budget: it holds ${bytes}.`,
    fullSoon: (tier, when, free) =>
      when === null
        ? `The tier ${tier} has only ${free} left.`
        : `The tier ${tier} will be full ${when} at this rate; ${free} are left.`,
    missedSlots: (database, slots, when) =>
      `${slots} scheduled backup${s(slots)} of ${database} ${slots === 1 ? "was" : "were"} never run, noticed ${when}: nobody was there to run ${slots === 1 ? "it" : "them"}.`,
    noSchedule: (count, names) => `${names} ${are(count)} backed up only on demand: no schedule.`,
    markUnreadable: (problem) => problem,
    markOld: (database, backupId, age, reason) =>
      `Backup ${backupId} of ${database} is kept by hand since ${age} (“${reason}”). Is it still wanted?`,
    notVerified: (days) => `No copy was read back and checked in ${days} days.`,
    notRestored: (days) =>
      `No restore was tried in ${days} days: that a backup can be restored is known only by restoring it.`,
  },
};
