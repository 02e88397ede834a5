import type { ViewOf } from "@trivault/core/view-schema";
import type { databaseHealth, healthReport, orphan, tierHealth } from "./report-schema.ts";

/** How well a site is, as plain JSON: times are ISO 8601 in UTC. */
export type HealthReport = ViewOf<typeof healthReport>;
export type DatabaseHealth = ViewOf<typeof databaseHealth>;
export type DatabaseTierHealth = DatabaseHealth["tiers"][number];
export type TierHealth = ViewOf<typeof tierHealth>;
/** A database that nobody backs up. */
export type Orphan = ViewOf<typeof orphan>;

/** It was there, is gone, and nobody has taken note. */
export function isVanished({ reason, acknowledged }: Orphan): boolean {
  return reason === "gone" && acknowledged === null;
}
