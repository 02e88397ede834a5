export type { Observer } from "./observer.ts";
export type {
  DatabasePage,
  DatabaseRow,
  MissedRun,
  Overview,
  Restoration,
  RetentionRow,
  Run,
  RunStage,
  TierPage,
  TierRow,
  TierSample,
  VerificationRow,
} from "./views.ts";
