import { ALERT_RULES, type AlertRule } from "@trivault/core";
import { copyLag, damageFound, objectiveMissed } from "./rules/copies.ts";
import { databaseVanished } from "./rules/databases.ts";
import type { Rule } from "./rules/rule.ts";
import { retentionHeld, runFailed, sizeUnusual } from "./rules/runs.ts";
import { auditBroken, channelFailed, configRefused, expiring } from "./rules/site.ts";
import { unknownCopies, untrustedBackups } from "./rules/copy-states.ts";
import { tierFilling, tierOverBudget, tierShrunk, tierUnreachable } from "./rules/tiers.ts";
import { clockDrift, noWorker, queueUnreachable, schedulerSilent } from "./rules/workers.ts";
import type { Observation, Sign } from "./types.ts";

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
};

/** Everything that is wrong at this moment, whether or not it is reported yet; rules that are off see nothing. */
export function findSigns(observation: Observation): Sign[] {
  const { off } = observation.config.monitoring.alerts;
  return ALERT_RULES.filter((rule) => !off.includes(rule)).flatMap((rule) => RULES[rule].signs(observation));
}
