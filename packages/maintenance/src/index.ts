export * from "./look.ts";
export { acknowledgeGone } from "./discovery/acknowledge.ts";
export { type Discarded, discardBackups, type DiscardPlan, planDiscard } from "./plan/discard.ts";
export { applyPlan, type Applied, type ApplyOptions } from "./plan/apply-plan.ts";
export { type BudgetState, checkBudget } from "./inventory/budget.ts";
export { acceptSize, type KeepMark, loadMarks, markKept, type Marks, releaseKept } from "./plan/marks.ts";
export { planDatabase, type PlannedCopy, planSite, type SitePlan, type SitePlanInput } from "./plan/plan-site.ts";
export { catchUp } from "./upkeep/catch-up.ts";
export { createHealthCheck, type HealthInput, type HealthLook, type SeenTier } from "./health/check.ts";
export { copyName, type HealthHistory, type LackingCopy, type LastRun } from "./health/history.ts";
export {
  type CopiesSummary,
  type HeldCopy,
  type Holdings,
  holdingsOf,
  summaryOf,
  totalOf,
} from "./inventory/holdings.ts";
export { createInventoryReader, type InventoryReader } from "./inventory/reader.ts";
export { readTierState, type TierState } from "./inventory/tier-state.ts";
export { type DiscoveryNews, NO_NEWS } from "./health/orphans.ts";
export type { Inventory, InventoryCopy } from "./inventory/inventory.ts";
export { readOnlyReason } from "./health/read-only.ts";
export { readInventories } from "./inventory/cache.ts";
export { databasesOn, inventoriesWith, isFresh } from "./inventory/freshness.ts";
export type { MaintenanceSite } from "./maintenance-site.ts";
export { ORPHAN_AGE_MS, sweepOrphans } from "./upkeep/sweep.ts";
export { maintainTier, type TierMaintenance } from "./upkeep/maintain-tier.ts";
export { type CopyToStart, reconcile } from "./repair/reconcile.ts";
export { recordedStage, type StageRecord } from "./upkeep/recorded-stage.ts";
export { type Scan, scanAll, type ScannedTiers, type ScanOptions, scanTier } from "./inventory/scan.ts";
export { type CheckedCopy, verifyRecorded, type VerifyOptions, type VerifySite } from "./repair/verify-recorded.ts";
export { type Cleaned, cleanUpTier, type CleanUpOptions } from "./upkeep/clean-up.ts";
export { type Lack, lacksOf, type WantedCopy, wantedCopy } from "./repair/lacks.ts";
export { expectPlanned, lookAtSite, type SiteLook } from "./plan/look-at-site.ts";
export { type PlanReport, planReport, type PlanReportInput } from "./plan/plan-report.ts";
export { acceptSizeFrom, holdBackup, releaseBackup } from "./plan/keep.ts";
