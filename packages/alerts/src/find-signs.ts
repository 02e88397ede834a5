import { ALERT_RULES, type AlertRule, messageOf } from "@trivault/core";
import { copyLag, damageFound, objectiveMissed } from "./rules/copies.ts";
import { databaseVanished } from "./rules/databases.ts";
import { type Rule, sign } from "./rules/rule.ts";
import { retentionHeld, runFailed, sizeUnusual } from "./rules/runs.ts";
import { auditBroken, channelFailed, configRefused, expiring, ruleFailed } from "./rules/site.ts";
import { unknownCopies, untrustedBackups } from "./rules/copy-states.ts";
import { tierFilling, tierOverBudget, tierShrunk, tierUnreachable } from "./rules/tiers.ts";
import { clockDrift, noWorker, queueUnreachable, schedulerSilent } from "./rules/workers.ts";
import type { Observation, Sign } from "./types.ts";
import { textIn } from "./sign-facts.ts";

export const RULES: Readonly<Record<AlertRule, Rule>> = {
  "run-failed": runFailed,
  "objective-missed": objectiveMissed,
  "database-vanished": databaseVanished,
  "copy-lag": copyLag,
  "tier-unreachable": tierUnreachable,
  "tier-filling": tierFilling,
  "tier-over-budget": tierOverBudget,
  "tier-shrunk": tierShrunk,
  "damage-found": damageFound,
  "untrusted-backups": untrustedBackups,
  "unknown-copies": unknownCopies,
  "size-unusual": sizeUnusual,
  "no-worker": noWorker,
  "queue-unreachable": queueUnreachable,
  "scheduler-silent": schedulerSilent,
  "clock-drift": clockDrift,
  expiring,
  "audit-broken": auditBroken,
  "config-refused": configRefused,
  "retention-held": retentionHeld,
  "channel-failed": channelFailed,
  "rule-failed": ruleFailed,
};

/**
 * Everything that is wrong at this moment, whether or not it is reported yet; rules that are off see nothing. A rule that
 * throws is a sign itself, and the others go on.
 */
export function findSigns(observation: Observation): Sign[] {
  const { off } = observation.config.monitoring.alerts;
  return ALERT_RULES.filter((rule) => !off.includes(rule)).flatMap((rule) => {
    try {
      return RULES[rule].signs(observation);
    } catch (error) {
      return [failureOf(rule, messageOf(error), observation)];
    }
  });
}

/** Where nobody wants to hear of failing rules, it only keeps the alerts of that rule as they are. */
function failureOf(rule: AlertRule, reason: string, { now, config }: Observation): Sign {
  const suppressed = config.monitoring.alerts.off.includes("rule-failed");
  const common = { rule: "rule-failed", subject: "rules", severity: "warning", since: now, suppressed } as const;
  return sign({ ...common, member: rule, data: { reason } });
}

/** The rules that could not look, by what they said. */
export function failedRules(signs: readonly Sign[]): ReadonlyMap<string, string> {
  const failed = signs.filter(({ rule }) => rule === "rule-failed");
  return new Map(failed.map((each) => [each.member, textIn(each, "reason")]));
}
