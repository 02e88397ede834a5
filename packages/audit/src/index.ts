export { type AuditLog, openAuditLog } from "./audit-log.ts";
export { type AuditProblem } from "./chain-check.ts";
export {
  AUDIT_ACTIONS,
  AUDIT_OUTCOMES,
  type AuditAction,
  type AuditEvent,
  type AuditFilter,
  type AuditOutcome,
  type RecordedEvent,
  type Recorder,
} from "./event.ts";
export { auditFolder } from "./folder.ts";
export { type Anchor } from "./known-heads.ts";
export { type AuditReader, type ReadMark } from "./reader.ts";
export { type AuditVerdict } from "./verify.ts";
export { type Where } from "./writer.ts";
