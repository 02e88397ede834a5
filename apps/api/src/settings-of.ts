import { findDatabase, formatRetention } from "@trivault/core";
import type { ApiDeps } from "./deps.ts";

/** What is configured of a database; null where it is not configured (any more). No URL, hence no secret. */
export function settingsOf({ config }: Pick<ApiDeps, "config">, name: string) {
  const database = findDatabase(config, name);
  if (database === null) return null;
  const { schedule, timeZone, tiers, retention, priority } = database;
  const rules = Object.entries(retention).map(([tier, policy]) => [tier, formatRetention(policy)] as const);
  return { schedule: schedule?.cron ?? null, timeZone, tiers, retention: Object.fromEntries(rules), priority };
}
