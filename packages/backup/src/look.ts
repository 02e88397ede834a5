/**
 * What looks at copies and at the notes about them. An entry of its own (`@trivault/backup/look`): a command that only looks
 * starts without the stages, and without what they need to dump and restore.
 */
export { type BackupRef, type NextStage, type Progress, type Site, type StageContext } from "./site.ts";
export { type Chosen, chooseTrusted, namePassedOver, type PassedOver } from "./choose-trusted.ts";
export { forEachConcurrently } from "./concurrency.ts";
export { type Copy, listCopies, readManifest, removePartial, type StoredManifest } from "./copies.ts";
export {
  aheadLines,
  type BackupList,
  type BackupSummary,
  chooseBackup,
  listBackups,
  type ListedCopy,
  summariseBackups,
} from "./list.ts";
export {
  noteDamage,
  noteDeletion,
  noteDoubt,
  type NoteKind,
  readNotes,
  removeNotes,
  tierFolder,
  type TierNote,
  writeUsage,
} from "./tier-notes.ts";
export { readStanding, type Standing } from "./standing.ts";
export { isTrusted, loadTrust, requireTrusted, siteTrust, type Trust } from "./trust.ts";
