export { applyPlan, type Applied, type ApplyOptions } from "./apply-plan.ts";
export { type BudgetState, checkBudget } from "./budget.ts";
export { type ClassCost, costOf, costOfCopies, type TierCost } from "./cost.ts";
export { acceptSize, type KeepMark, loadMarks, markKept, type Marks, releaseKept } from "./marks.ts";
export { planSite, type SitePlan, type SitePlanInput } from "./plan-site.ts";
export type { Inventory, InventoryCopy } from "./inventory.ts";
