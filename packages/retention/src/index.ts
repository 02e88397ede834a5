export { planRetention } from "./plan.ts";
export type { CopyState, Decision, Plan, PlanBackup, PlanInput, PlanTier } from "./types.ts";
