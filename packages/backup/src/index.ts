export * from "./look.ts";
export { type AdoptContext, adoptFile, type Adoption } from "./adopt/adopt-file.ts";
export { type Adoptable, type AdoptionPlan, type LeftAlone, planAdoption, type PlanOptions } from "./adopt/plan.ts";
export { type DumpOf, type DumpSlot, type DumpSlots, openDumpSlots, serverOf, waitsFor } from "./dump-slots.ts";
export { giveUp } from "./give-up.ts";
export { type InlineResult, runInline } from "./inline.ts";
export {
  type RunManner,
  type RunStage,
  runStages,
  type StageEnd,
  stageName,
  type StageName,
  type StageResult,
} from "./run-stages.ts";
export { inspectCopies, type InspectedCopy } from "./inspect-copies.ts";
export { acquireLease } from "./lease.ts";
export { type FoundNote, putRecoveryNote, readRecoveryNote } from "./recovery-note.ts";
export { requireSite, type SiteDeps } from "./require-site.ts";
export { findSites, type FoundSites } from "./find-sites.ts";
export { restoreCommand } from "./restore-command.ts";
export { type RestoreContext, type RestoreRequest, type RestoreResult, restoreBackup } from "./restore.ts";
export {
  abortedReason,
  databaseOfRun,
  listRuns,
  markAborted,
  readDumped,
  removeRun,
  type RunDirectory,
  runDirectory,
} from "./run-directory.ts";
export { settlePrevious } from "./settle.ts";
export { listSlotRuns, type SlotRun } from "./slot-runs.ts";
export { beginNewSite, moveSite, recoverSite } from "./settle-site.ts";
export { guardSite, readSite, type SiteIdentity } from "./site-identity.ts";
export { ensureSiteMark } from "./site-mark.ts";
export { type CopyPayload, type CopyResult, copyStage } from "./stages/copy.ts";
export { type DumpPayload, type DumpResult, dumpStage } from "./stages/dump.ts";
export { type EncryptResult, encryptStage } from "./stages/encrypt.ts";
export { findTier } from "./tiers.ts";
export { type Verification, verifyCopy } from "./verify.ts";
export { VERSION } from "./version.ts";
export { listInUse, markInUse } from "./in-use.ts";
