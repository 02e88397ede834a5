/**
 * One line of the record: something that somebody did, or that happened to a backup, and how it ended. Names and ids only,
 * never a secret: `error.message` is the operator's paragraph, which holds none.
 */
export interface AuditEvent {
  readonly action: AuditAction;
  readonly outcome: "ok" | "failed" | "refused";
  /** Who: `user:<login>@<host>`, `token:<name>`, `schedule`, or `maintenance` for what Trivault does by itself. */
  readonly actor: string;
  readonly database?: string | undefined;
  readonly backupId?: string | undefined;
  readonly tier?: string | undefined;
  readonly seconds?: number | undefined;
  readonly bytes?: number | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  /** What else one wants to know, by short names: `{ rule: "beyond hourly=48" }`. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

/** Stable names; scripts and reports match on them. */
export const AUDIT_ACTIONS = [
  "backup.requested",
  "backup.dump",
  "backup.encrypt",
  "backup.copy",
  /** One copy was deleted from a tier; `details.rule` says which rule ordered it. */
  "backup.deleted",
  "backup.adopted",
  "backup.verified",
  "backup.restored",
  "keep.marked",
  "keep.released",
  /** A smaller size was accepted as the new normal. */
  "size.accepted",
  /** A copy that was there is gone, or has become smaller, and nobody of us did it. */
  "tier.vanished",
  "tier.shrunk",
  "tier.repaired",
  "tier.unreachable",
  "tier.reachable",
  "tier.over-budget",
  /** Remains of runs that died were removed. */
  "tier.swept",
  "retention.held",
  "schedule.missed",
  "config.loaded",
  "config.refused",
  "access.refused",
  /** The end of a line that a crash cut off was taken away. */
  "audit.healed",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Writes one event. Never throws and never waits for long: a backup does not fail because its record cannot be written. */
export type Recorder = (event: AuditEvent) => Promise<void>;
