export { AUDIT_ACTIONS, type AuditAction, type AuditEvent, type Recorder } from "./event.ts";
