export { addTo, type BackupFacts, backupOf, FACT_ACTIONS } from "./backup-facts.ts";
export { createObserver } from "./create-observer.ts";
export { deriveRuns } from "./derive-runs.ts";
export { type FoldOptions, foldRuns, readRuns } from "./fold-runs.ts";
export type { Observer } from "./observer.ts";
export { openObserver } from "./open-observer.ts";
export type { ObserverDeps } from "./site-view.ts";
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
