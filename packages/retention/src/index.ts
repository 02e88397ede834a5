export type { CopyState, Decision, Plan, PlanBackup, PlanInput, PlanTier } from "./types.ts";
