/** What `list` and `health` are made of. An entry of its own, so that they start without what repairs and deletes. */
export { backupHealth, FRESH_FOR_ROUNDS, type HealthDeps } from "./health/health.ts";
export {
  type DatabaseHealth,
  type DatabaseTierHealth,
  type HealthReport,
  isVanished,
  type Orphan,
  type TierHealth,
} from "./health/report.ts";
export { describeHealth } from "./health/summary.ts";
export { listSite } from "./inventory/list-site.ts";
