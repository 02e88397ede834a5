export { addTo, type BackupFacts, backupOf, FACT_ACTIONS } from "./backup-facts.ts";
export { createObserver } from "./create-observer.ts";
export { deriveRuns } from "./derive-runs.ts";
export { type StageView, stagesOf } from "./run-stages.ts";
export {
  isMoving,
  type PlacedCopy,
  type RunState,
  RUN_STATES,
  STAGE_STATES,
  type StageState,
  stateOfBackup,
  stateOfJobs,
  stateOfMoving,
} from "./run-state.ts";
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
