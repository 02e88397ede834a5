import { formatDuration, parseDuration } from "../../time.ts";
import type { RetentionPolicy } from "../model/types.ts";

/** The newest five (of a day with many by hand), two days hour by hour, two weeks day by day, two months week by week, a year month by month, and three years. */
export const DEFAULT_RETENTION: RetentionPolicy = {
  last: 5,
  hourly: 48,
  daily: 14,
  weekly: 8,
  monthly: 12,
  yearly: 3,
  withinSeconds: null,
  atLeast: 2,
};

export const NO_RULES: RetentionPolicy = {
  last: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  withinSeconds: null,
  atLeast: 2,
};

export const COUNTS = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;

export type RetentionRule = RetentionPolicy | "off";

/** `"hourly=48,daily=14,within=30d,atLeast=2"`, or `off`; what is not named is 0. Null where it is none of these. */
export function parseRetention(text: string): RetentionRule | null {
  if (text.trim() === "off") return "off";
  const policy: { -readonly [K in keyof RetentionPolicy]: RetentionPolicy[K] } = { ...NO_RULES };
  const seen = new Set<string>();
  for (const part of text.split(",")) {
    const [, name = "", after = ""] = /^\s*([A-Za-z]+)\s*=(.*)$/s.exec(part) ?? [];
    const value = after.trim();
    if (seen.has(name)) return null;
    seen.add(name);
    const count = /^\d{1,5}$/.test(value) ? Number(value) : null;
    if (name === "within") {
      const seconds = parseDuration(value);
      if (seconds === null || seconds === 0) return null;
      policy.withinSeconds = seconds;
    } else if (count === null) return null;
    else if (name === "atLeast" && count >= 1) policy.atLeast = count;
    else if (isCount(name)) policy[name] = count;
    else return null;
  }
  return policy;
}

/** `hourly=48,daily=14,atLeast=2`: what `parseRetention` reads. */
export function formatRetention(policy: RetentionPolicy | null): string {
  if (policy === null) return "off";
  const rules = COUNTS.filter((name) => policy[name] > 0).map((name) => `${name}=${policy[name]}`);
  if (policy.withinSeconds !== null) rules.push(`within=${formatDuration(policy.withinSeconds).replaceAll(" ", "")}`);
  return [...rules, `atLeast=${policy.atLeast}`].join(",");
}

function isCount(name: string): name is (typeof COUNTS)[number] {
  return (COUNTS as readonly string[]).includes(name);
}
