import { formatDuration } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import type { Sign } from "./types.ts";

const MOST_NAMED = 8;

/** `2026-11-23 02:14 UTC (3h 5m ago)`. */
export function since(at: Date, now: Date): string {
  return `${utc(at)} (${age((now.getTime() - at.getTime()) / 1000)} ago)`;
}

export function utc(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** To two units: `3h 5m`. */
export function age(seconds: number): string {
  return formatDuration(Math.max(1, Math.round(seconds)))
    .split(" ")
    .slice(0, 2)
    .join(" ");
}

/** `a`, `a and b`, `a, b and c`; of many the first ones. */
export function list(names: readonly string[], most = MOST_NAMED): string {
  const all = [...new Set(names)];
  if (all.length > most) return `${all.slice(0, most - 1).join(", ")} and ${all.length - most + 1} more`;
  return all.length < 2 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function earliest(signs: readonly Sign[]): Date {
  return new Date(Math.min(...signs.map((sign) => sign.since.getTime())));
}

export function datum(sign: Sign | undefined, name: string): string {
  return sign?.data[name] ?? "";
}

/** Which tiers hold a good copy of these databases, and how old the newest is there. */
export function stillSafe(overview: Overview | null, databases: readonly string[]): string {
  if (overview === null) return "What is still safe is not known: the site could not be looked at.";
  const names = [...new Set(databases)];
  const lines = names
    .slice(0, MOST_NAMED)
    .map((name) => `${names.length > 1 ? `${name}: ` : ""}${copiesOf(overview, name)}`);
  if (names.length > MOST_NAMED) lines.push(`and ${names.length - MOST_NAMED} more on the dashboard`);
  return `Still safe: ${lines.join("; ")}.`;
}

function copiesOf(overview: Overview, name: string): string {
  const found = overview.health.databases.find((database) => database.name === name);
  const good = found?.tiers.filter(({ newestBackupId }) => newestBackupId !== null) ?? [];
  if (good.length === 0) return "no tier is known to hold a good copy";
  const reachable = new Map(overview.health.tiers.map((tier) => [tier.name, tier.reachable]));
  return good
    .map(({ tier, ageSeconds }) => {
      const old = ageSeconds === null ? "of unknown age" : `${age(ageSeconds)} old`;
      return `${tier} (${old}${reachable.get(tier) === false ? ", when it was last reached" : ""})`;
    })
    .join(", ");
}

export const databasePage = (name: string) => `/databases/${encodeURIComponent(name)}`;
export const tierPage = (name: string) => `/tiers/${encodeURIComponent(name)}`;
export const backupPage = (backupId: string) => `/backups/${encodeURIComponent(backupId)}`;
