import type { HealthReport } from "./health-report.ts";

/** Problems that are told one by one; of more, the number. */
const MOST_PROBLEMS = 3;

/** One sentence, for a person who has a second. */
export function describeHealth({ databases, tiers, ok }: HealthReport): string {
  const down = tiers
    .filter(({ reachable }) => !reachable)
    .map(
      ({ name, unreachableSince: since }) =>
        `${name} cannot be reached${since === null ? "" : ` since ${clock(since)}`}`,
    );
  const problems = databases.map(({ problem }) => problem).filter((problem) => problem !== null);
  const told = problems.slice(0, MOST_PROBLEMS);
  if (problems.length > told.length) told.push(`${problems.length - told.length} more have problems`);
  return [headline(databases, ok), ...told, ...down].join("; ");
}

function headline(databases: HealthReport["databases"], ok: boolean): string {
  const good = databases.filter((database) => database.ok).length;
  if (databases.length === 0) return "No database is configured here, so nothing is known to be safe";
  const sets = new Set(databases.map(({ tiers }) => tiers.map(({ tier }) => tier).join(", ")));
  const where = sets.size === 1 ? `on ${[...sets].join("")}` : "on all their tiers";
  if (databases.length === 1)
    return ok ? `${databases[0]?.name} is safe ${where}` : `${databases[0]?.name} is not safe`;
  return ok ? `All ${good} databases are safe ${where}` : `${good} of ${databases.length} databases are safe ${where}`;
}

function clock(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}
