import { writeUtc } from "@trivault/core";
import { type HealthReport, isVanished, type Orphan } from "./report.ts";

/** Problems that are named one by one; more are counted. */
const MOST_PROBLEMS = 3;

/** One sentence, for a person who has a second. */
export function describeHealth({ databases, tiers, orphans }: HealthReport): string {
  const vanished = orphans.filter(isVanished);
  const down = tiers
    .filter(({ reachable }) => !reachable)
    .map(
      ({ name, unreachableSince: since }) =>
        `${name} cannot be reached${since === null ? "" : ` since ${clock(since)}`}`,
    );
  const problems = databases.map(({ problem }) => problem).filter((problem) => problem !== null);
  problems.unshift(...vanished.map(describeVanished));
  const noted = databases.length === 0 ? orphans.filter(isAcknowledged) : [];
  problems.push(...noted.map(describeAcknowledged));
  const named = problems.slice(0, MOST_PROBLEMS);
  if (problems.length > named.length) named.push(`${problems.length - named.length} more have problems`);
  const isOver = databases.length + vanished.length === 0 && noted.length > 0;
  return [...(isOver ? [] : [headline(databases, vanished.length)]), ...named, ...down].join("; ");
}

function isAcknowledged({ reason, acknowledged }: Orphan): boolean {
  return reason === "gone" && acknowledged !== null;
}

function describeAcknowledged({ name, server, acknowledged, backups }: Orphan): string {
  const left = backups === 1 ? "1 backup of it is" : `${backups} backups of it are`;
  return `${name} is gone from its server${server === null ? "" : ` ${server}`}, as ${acknowledged?.by ?? "somebody"} took note; ${left} there`;
}

function describeVanished({ name, server, since, backups }: Orphan): string {
  const when = since === null ? "" : ` since ${clock(since)}`;
  const left = backups === 1 ? "1 backup of it is" : `${backups} backups of it are`;
  return `${name} is gone from its server${server === null ? "" : ` ${server}`}${when}, and ${left} there`;
}

function headline(databases: HealthReport["databases"], vanished: number): string {
  const good = databases.filter((database) => database.ok).length;
  const all = databases.length + vanished;
  const ok = good === all;
  if (all === 0) return "No database is configured here, so nothing is known to be safe";
  const sets = new Set(databases.map(({ tiers }) => tiers.map(({ tier }) => tier).join(", ")));
  const where = sets.size === 1 ? `on ${[...sets].join("")}` : "on all their tiers";
  if (all === 1 && databases.length === 1)
    return ok ? `${databases[0]?.name} is safe ${where}` : `${databases[0]?.name} is not safe`;
  return ok ? `All ${good} databases are safe ${where}` : `${good} of ${all} databases are safe ${where}`;
}

function clock(iso: string): string {
  return writeUtc("en", new Date(iso));
}
