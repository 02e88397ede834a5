export { planRetention } from "./plan.ts";
export type { Decision, Plan, PlanBackup, PlanInput, PlanTier } from "./types.ts";
