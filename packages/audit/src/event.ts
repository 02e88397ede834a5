/**
 * One line of the audit log: something that somebody did, or that happened to a backup, and how it ended. Names and ids only,
 * never a secret: `error.message` is the operator's paragraph, which holds none.
 */
export interface AuditEvent {
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
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

export const AUDIT_OUTCOMES = ["ok", "failed", "refused"] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

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
  /** Somebody else's text lay in the place of RECOVERY.md; ours is there again, or the tier does not let us. */
  "tier.recovery-note",
  "tier.unreachable",
  "tier.reachable",
  "tier.over-budget",
  /** Remains of runs that died were removed. */
  "tier.swept",
  "retention.held",
  "schedule.missed",
  /** A discovered database is gone from its server; is back; somebody took note of it; its backups were all discarded. */
  "database.vanished",
  "database.returned",
  "database.acknowledged",
  "database.discarded",
  /** A report was mailed, or could not be made or mailed; `details.day` says which. */
  "report.sent",
  "report.failed",
  /** A person said whose folder BACKUP_DIR is: a new site's, one that the tiers know, one that lay elsewhere. */
  "site.begun",
  "site.recovered",
  "site.moved",
  "config.loaded",
  "config.refused",
  /** A job in Redis that no process of this site had made, or a restore's that was put back after it ended; it was not carried out. `details.count` of them. */
  "job.refused",
  /** A user of the dashboard: in, out, or not let in. */
  "access.login",
  "access.refused",
  /** A named token was made or revoked. */
  "access.token",
  /** A user was added, changed or removed. */
  "access.user",
  /** The end of a line that a crash cut off was taken away. */
  "audit.healed",
  /** The audit log did not end as it was left: somebody cut its end off, or changed it. `trivault audit verify` says where. */
  "audit.broken",
  /** An alert fired (docs/alerts.md); it ended; somebody silenced it, or ended the silence. */
  "alert.raised",
  "alert.resolved",
  "alert.silenced",
  "alert.unsilenced",
  /** A message could not be delivered. */
  "channel.failed",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Writes one event. Never throws and never waits for long: a backup does not fail because its audit log cannot be written. */
export type Recorder = (event: AuditEvent) => Promise<void>;

/** An event as the audit log holds it. */
export type RecordedEvent = AuditEvent & {
  /** 1, 2, 3, … over the whole audit log. */
  readonly seq: number;
  /** When it was written; never before the line before it, whatever the clock did. */
  readonly at: Date;
  /** When it happened by the clock, where that is a second or more off `at`: it had to wait, or the clock was put back. */
  readonly time?: Date | undefined;
  readonly host: string;
  readonly pid: number;
};

export interface AuditFilter {
  /** Both by `at`, and included. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly actor?: string | undefined;
  readonly database?: string | undefined;
  readonly backupId?: string | undefined;
  readonly tier?: string | undefined;
  readonly action?: AuditAction | readonly AuditAction[] | undefined;
  readonly outcome?: AuditOutcome | undefined;
}
