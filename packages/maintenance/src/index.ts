export { type DiscoveryProblem, type KnownDatabases, knownDatabases, type LeftOut } from "./discovery.ts";
export { acknowledgeGone } from "./acknowledge.ts";
export { type Discarded, discardBackups, type DiscardPlan, planDiscard } from "./discard.ts";
export type { Acknowledgement, GoneDatabase } from "./gone.ts";
export { applyPlan, type Applied, type ApplyOptions } from "./apply-plan.ts";
export { type BudgetState, checkBudget } from "./budget.ts";
export { type ClassCost, costOf, costOfCopies, type TierCost } from "./cost.ts";
export { acceptSize, type KeepMark, loadMarks, markKept, type Marks, releaseKept } from "./marks.ts";
export { planDatabase, type PlannedCopy, planSite, type SitePlan, type SitePlanInput } from "./plan-site.ts";
export { catchUp } from "./catch-up.ts";
export { backupHealth, FRESH_FOR_ROUNDS, type HealthDeps } from "./health.ts";
export { createHealthCheck, type HealthInput, type HealthLook, type SeenTier } from "./health-check.ts";
export { copyName, type HealthHistory, type LackingCopy, type LastRun } from "./health-history.ts";
export { type CopiesSummary, type HeldCopy, type Holdings, holdingsOf, summaryOf, totalOf } from "./holdings.ts";
export { createInventoryReader, type InventoryReader } from "./inventory-reader.ts";
export { readTierState, type TierState } from "./maintain-state.ts";
export {
  type DatabaseHealth,
  type DatabaseTierHealth,
  type HealthReport,
  isVanished,
  type Orphan,
  type TierHealth,
} from "./health-report.ts";
export { type DiscoveryNews, NO_NEWS } from "./health-orphans.ts";
export { describeHealth } from "./health-summary.ts";
export { type Heartbeat, HEARTBEAT_MS, type HeartbeatSource, readHeartbeats, startHeartbeat } from "./heartbeats.ts";
export type { Inventory, InventoryCopy } from "./inventory.ts";
export { readOnlyReason } from "./read-only.ts";
export { listSite } from "./inventory-list.ts";
export { readInventories } from "./inventory-cache.ts";
export { databasesOn, inventoriesWith, isFresh } from "./inventory-freshness.ts";
export type { MaintenanceSite } from "./maintain-site.ts";
export { ORPHAN_AGE_MS, sweepOrphans } from "./maintain-sweep.ts";
export { maintainTier, type TierMaintenance } from "./maintain-tier.ts";
export { type CopyToStart, reconcile } from "./reconcile.ts";
export { restoreRecorded, type RestoreSite } from "./restore-recorded.ts";
export { recordRepair } from "./maintain-repair.ts";
export { type Scan, scanAll, type ScannedTiers, type ScanOptions, scanTier } from "./scan.ts";
export { type CheckedCopy, verifyRecorded, type VerifyOptions, type VerifySite } from "./verify-recorded.ts";
export { checkConnections, type ConnectionCheck } from "./check-connections.ts";
export { type Cleaned, cleanUpTier, type CleanUpOptions } from "./clean-up.ts";
export { describeConfig, type InForce } from "./describe-config.ts";
export { type Lack, lacksOf, type WantedCopy, wantedCopy } from "./lacks.ts";
export { expectPlanned, lookAtSite, type SiteLook } from "./look-at-site.ts";
export { type PlanReport, planReport, type PlanReportInput } from "./plan-report.ts";
export { acceptSizeFrom, holdBackup, releaseBackup } from "./keep.ts";
