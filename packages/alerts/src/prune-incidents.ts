import { DAY_MS, HOUR_MS } from "@trivault/core";
import { type Incidents, without } from "./incidents.ts";
import type { Observation } from "./types.ts";

/** Without those whose end no event shows, but what is seen now does. */
export function pruneIncidents(
  incidents: Incidents,
  { now, overview, heartbeats, record, config }: Omit<Observation, "incidents">,
): Incidents {
  const tiers = new Map(overview?.health.tiers.map((tier) => [tier.name, tier]));
  const databases = new Map(overview?.health.databases.map((database) => [database.name, database]));
  return without(incidents, ({ kind, since, lastAt, tier, database, process }) => {
    if (tier !== null && !config.tiers.some(({ name }) => name === tier)) return true;
    if (database !== null && overview !== null && kind !== "damage" && !databases.has(database)) return true;
    const scannedAt = tiers.get(tier ?? "")?.scannedAt ?? null;
    const scannedSince = scannedAt !== null && Date.parse(scannedAt) > lastAt.getTime();
    switch (kind) {
      case "tier-trouble":
        return scannedSince && tiers.get(tier ?? "")?.reachable === true;
      case "lost-copies": {
        // Not at once: somebody has to hear of it, even if all is brought back within a minute.
        if (!scannedSince || now.getTime() - lastAt.getTime() < HOUR_MS) return false;
        return databases.get(database ?? "")?.tiers.find((each) => each.tier === tier)?.lacking === 0;
      }
      case "audit-broken":
        return record?.ok === true && record.checkedAt > lastAt;
      case "config-refused":
        // A process that was started since has read a good file.
        return heartbeats.some(({ host, startedAt }) => process?.startsWith(`${host}/`) === true && startedAt > lastAt);
      case "size-accepted":
        return now.getTime() - since.getTime() > 60 * DAY_MS;
      default:
        return false;
    }
  });
}
