// Made of docs/openapi.json by `npm run api:document`; a test proves that it is current. Do not edit.

export type AcceptedSize = { readonly database: string; readonly from: string };

export type Acknowledgement = {
  readonly database: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string | null;
};

export type Alert = {
  /** The same whenever it comes back. */
  readonly id: string;
  readonly rule:
    | "run-failed"
    | "objective-missed"
    | "database-vanished"
    | "copy-lag"
    | "tier-unreachable"
    | "tier-filling"
    | "tier-over-budget"
    | "tier-shrunk"
    | "damage-found"
    | "untrusted-backups"
    | "unknown-copies"
    | "size-unusual"
    | "no-worker"
    | "queue-unreachable"
    | "scheduler-silent"
    | "clock-drift"
    | "expiring"
    | "audit-broken"
    | "config-refused"
    | "retention-held"
    | "channel-failed"
    | "rule-failed";
  readonly severity: "warning" | "critical";
  readonly title: string;
  /** What happened, since when, what is still safe, what to do. */
  readonly text: string;
  readonly facts: readonly (readonly [string, string])[];
  /** A page of the dashboard. */
  readonly link: string | null;
  /** What it is about: databases, tiers, queues. */
  readonly members: readonly string[];
  readonly since: string;
  readonly raisedAt: string;
  readonly toldAt: string | null;
  readonly silence: Silence | null;
};

export type AlertList = {
  readonly alerts: readonly Alert[];
  readonly ended: readonly EndedAlert[];
  readonly channels: readonly { readonly name: string; readonly kind: string; readonly from: "warning" | "critical" }[];
};

export type AuditPage = {
  readonly events: readonly RecordedEvent[];
  /** Absent on the last page. */
  readonly nextCursor?: string | undefined;
};

export type AuditVerdict = {
  readonly ok: boolean;
  readonly events: number;
  /** Keep it elsewhere: it proves later that nothing before it was rewritten. */
  readonly head: { readonly seq: number; readonly hash: string } | null;
  readonly waiting: number;
  readonly problems: readonly {
    readonly file: string;
    readonly line: number;
    readonly seq: number | null;
    readonly what: string;
  }[];
};

export type Backup = {
  readonly id: string;
  readonly database: string;
  readonly startedAt: string;
  readonly bytes: number;
  readonly copies: readonly Copy[];
  /** Why it is held by hand; absent where it is not. */
  readonly keep?: string | undefined;
  readonly links: {
    readonly self: string;
    /** Bull Board, for looking at the jobs */
    readonly queues: string;
  };
};

export type BackupDetails = {
  readonly id: string;
  readonly database: string;
  /** The backup on the tiers. A dump that is tried again makes another one than its run is named after. */
  readonly backupId: string | null;
  /** completed: a complete copy on every tier. incomplete: the backup is there, but not on every tier. failed: there is no backup. unknown: no complete copy yet, and the queue does not know whether one is being made. */
  readonly status: "queued" | "running" | "completed" | "incomplete" | "failed" | "unknown";
  /** Unless known, stages is empty and all else is read from the tiers alone. */
  readonly queue: "known" | "forgotten" | "unreachable";
  readonly note: string | null;
  readonly stages: readonly Stage[];
  readonly copies: readonly Copy[];
  /** Tiers that could not be asked: what is there is not known, which is not the same as nothing. */
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
  readonly links: {
    readonly self: string;
    /** Bull Board, for looking at the jobs */
    readonly queues: string;
  };
};

export type BackupHealth = {
  readonly localBackups: number;
  readonly remoteBackups: number;
  readonly cloudBackups: number;
  readonly lastSyncTime: string | null;
  readonly syncStatus: "success" | "failed" | "pending";
  readonly diskUsage: { readonly local: string; readonly remote: string; readonly cloud: string };
  /** Every database meets its objective on each of its tiers, and none has vanished unacknowledged. */
  readonly ok: boolean;
  readonly databases: readonly DatabaseHealth[];
  readonly tiers: readonly TierHealth[];
  /** What is not backed up (any more). */
  readonly orphans: readonly Orphan[];
};

export type BackupList = {
  readonly backups: readonly Backup[];
  /** How many there are; `backups` holds the newest of them. */
  readonly total: number;
  /** Absent on the last page. */
  readonly nextCursor?: string | undefined;
  /** Tiers that could not be asked: what is there is not known, which is not the same as nothing. */
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
};

export type BackupManifest = {
  readonly id: string;
  readonly database: string;
  /** The manifest of a copy whose signature is trusted, where there is one. */
  readonly manifest: {
    readonly format: "trivault-backup";
    readonly version: 1;
    readonly id: string;
    readonly database: string;
    readonly startedAt: string;
    readonly completedAt: string;
    readonly tools: Readonly<Record<string, string>>;
    readonly server: { readonly version: string; readonly major: number };
    readonly content?: "pg_dump" | "sql" | undefined;
    readonly encryption: "age" | "none";
    readonly recipients: readonly string[];
    readonly segments: readonly {
      readonly name: string;
      readonly size: number;
      readonly sha256: string;
      readonly plainSize: number;
      readonly plainSha256?: string | undefined;
    }[];
  } | null;
  readonly copies: readonly {
    readonly tier: string;
    /** untrusted: its manifest was read and is no good. unknown: it could not be read. */
    readonly state: "complete" | "untrusted" | "partial" | "none" | "unknown";
    readonly bytes: number | null;
    readonly signature: "trusted" | "unsigned" | "unknown-key" | "bad-signature" | null;
    /** The public key that the signature names. */
    readonly signedBy: string | null;
    readonly problem: string | null;
  }[];
  /** The command that restores it on any machine with a tier and the identity. */
  readonly restore: string;
};

export type ChannelTests = {
  readonly channels: readonly {
    readonly channel: string;
    readonly kind: string;
    readonly ok: boolean;
    readonly problem: string | null;
  }[];
};

export type CleanedUp = {
  readonly tier: string;
  /** running: it takes longer and goes on; the audit log shows what it deletes. */
  readonly state: "done" | "running";
  readonly deleted: readonly Decision[];
  /** What was not deleted, though planned, and why. */
  readonly held: readonly string[];
  readonly freedBytes: number;
  /** Remains of copies that nobody makes any more. */
  readonly swept: number;
};

export type CleanupPlan = {
  readonly tier: string;
  /** Identifies what would be deleted: POST it to have just that deleted. */
  readonly digest: string;
  readonly decisions: readonly Decision[];
  readonly kept: number;
  readonly deleted: number;
  /** The deletions that wait since the rules changed; ordered, they go at once. */
  readonly held: number;
  readonly missing: number;
  readonly freedBytes: number;
  readonly savedPerMonth: number | null;
  readonly warnings: readonly string[];
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
};

export type Configuration = {
  readonly configFile: string | null;
  readonly backupDir: string;
  readonly encryption: { readonly mode: "age" | "none"; readonly recipients?: readonly string[] | undefined };
  readonly databases: readonly Readonly<Record<string, unknown>>[];
  readonly servers: readonly Readonly<Record<string, unknown>>[];
  readonly tiers: readonly Readonly<Record<string, unknown>>[];
  readonly limits: Readonly<Record<string, unknown>>;
  readonly redis: {
    /** Null: one of its own. */
    readonly url: string | null;
    /** What protects the way there. */
    readonly protection: string;
  };
  readonly mail: Readonly<Record<string, unknown>> | null;
  readonly alerts: {
    readonly channels: readonly {
      readonly name: string;
      readonly kind: string;
      readonly from: string;
      readonly to: readonly string[];
    }[];
    readonly deadMan: { readonly host: string; readonly every: string } | null;
    readonly language: "en" | "fr";
    readonly repeat: string;
    readonly off: readonly string[];
  };
  readonly reports: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
};

export type Connections = {
  readonly ok: boolean;
  readonly connections: readonly {
    readonly kind: "database" | "server" | "tier";
    readonly name: string;
    readonly ok: boolean;
    readonly detail: string;
    /** What to do. */
    readonly advice: string | null;
  }[];
};

export type Copy = {
  readonly tier: string;
  /** It has its manifest, which is written last. */
  readonly complete: boolean;
  /** damaged: objects are missing or wrong. untrusted: no key known here signed its manifest. unknown: it is there and could not be read. */
  readonly state: "complete" | "damaged" | "untrusted" | "partial" | "unknown";
  readonly bytes: number;
};

export type DatabaseDetails = {
  readonly at: string;
  readonly health: DatabaseHealth;
  /** Why it is not backed up; null where it is. */
  readonly orphan: Orphan | null;
  readonly missed: readonly { readonly database: string; readonly at: string; readonly slots: number }[];
  readonly successRate: number | null;
  /** The longest time between two good backups in 30 days. */
  readonly recoveryPointSeconds: number | null;
  /** How long the last restore of it took. */
  readonly recoveryTimeSeconds: number | null;
  readonly restores: readonly Restoration[];
  readonly settings: DatabaseSettings | null;
};

export type DatabaseHealth = {
  readonly name: string;
  readonly ok: boolean;
  /** How old the newest good copy on each tier may be; null: any will do. */
  readonly objectiveSeconds: number | null;
  readonly nextRun: string | null;
  readonly lastRun: { readonly outcome: "ok" | "failed" | "refused"; readonly at: string } | null;
  readonly tiers: readonly {
    readonly tier: string;
    readonly ok: boolean;
    /** The newest of the complete and trusted copies there. */
    readonly newestBackupId: string | null;
    readonly ageSeconds: number | null;
    readonly backups: number;
    readonly bytes: number;
    /** Copies that are there and could not be read. */
    readonly unknown: number;
    /** Copies that shall be there and are not; null: the tier could not be looked at. */
    readonly lacking: number | null;
  }[];
  readonly problem: string | null;
};

export type DatabaseList = {
  readonly at: string;
  readonly databases: readonly {
    readonly name: string;
    readonly ok: boolean;
    /** How old the newest good copy on each tier may be; null: any will do. */
    readonly objectiveSeconds: number | null;
    readonly nextRun: string | null;
    readonly lastRun: { readonly outcome: "ok" | "failed" | "refused"; readonly at: string } | null;
    readonly tiers: readonly {
      readonly tier: string;
      readonly ok: boolean;
      /** The newest of the complete and trusted copies there. */
      readonly newestBackupId: string | null;
      readonly ageSeconds: number | null;
      readonly backups: number;
      readonly bytes: number;
      /** Copies that are there and could not be read. */
      readonly unknown: number;
      /** Copies that shall be there and are not; null: the tier could not be looked at. */
      readonly lacking: number | null;
    }[];
    readonly problem: string | null;
    /** Null: it is not configured any more. */
    readonly settings: DatabaseSettings | null;
    /** The runs of the last 30 days. */
    readonly runs: number;
    readonly runsOk: number;
    readonly links: { readonly self: string; readonly runs: string; readonly backups: string };
  }[];
};

export type DatabaseSettings = {
  /** Cron line; null: only on demand. */
  readonly schedule: string | null;
  readonly timeZone: string;
  readonly tiers: readonly string[];
  /** By tier, as the configuration would say it; off: all stays. */
  readonly retention: Readonly<Record<string, string>>;
  readonly priority: number;
};

export type Decision = {
  readonly database: string;
  readonly backupId: string;
  readonly bytes: number;
  readonly state: "complete" | "damaged" | "untrusted" | "partial" | "unknown" | null;
  readonly action: "keep" | "delete" | "copy" | "none";
  readonly reasons: readonly string[];
  /** Until when a deletion that only the newest rules make waits, unless it is ordered. */
  readonly heldUntil?: string | undefined;
};

export type DiscardPlan = {
  readonly database: string;
  /** Identifies what would be deleted: POST it to have just that deleted. */
  readonly digest: string;
  readonly copies: readonly DiscardedCopy[];
  readonly stays: readonly { readonly tier: string; readonly backupId: string; readonly why: string }[];
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
};

export type Discarded = {
  readonly database: string;
  readonly deleted: readonly DiscardedCopy[];
  /** What was not deleted, though planned, and why. */
  readonly held: readonly string[];
  readonly freedBytes: number;
  /** Nothing that was to go is left on any tier. */
  readonly complete: boolean;
};

export type DiscardedCopy = {
  readonly database: string;
  readonly backupId: string;
  readonly bytes: number;
  readonly state: "complete" | "damaged" | "untrusted" | "partial" | "unknown" | null;
  readonly action: "keep" | "delete" | "copy" | "none";
  readonly reasons: readonly string[];
  /** Until when a deletion that only the newest rules make waits, unless it is ordered. */
  readonly heldUntil?: string | undefined;
  readonly tier: string;
};

export type EndedAlert = {
  /** The same whenever it comes back. */
  readonly id: string;
  readonly rule:
    | "run-failed"
    | "objective-missed"
    | "database-vanished"
    | "copy-lag"
    | "tier-unreachable"
    | "tier-filling"
    | "tier-over-budget"
    | "tier-shrunk"
    | "damage-found"
    | "untrusted-backups"
    | "unknown-copies"
    | "size-unusual"
    | "no-worker"
    | "queue-unreachable"
    | "scheduler-silent"
    | "clock-drift"
    | "expiring"
    | "audit-broken"
    | "config-refused"
    | "retention-held"
    | "channel-failed"
    | "rule-failed";
  readonly severity: "warning" | "critical";
  readonly title: string;
  /** What happened, since when, what is still safe, what to do. */
  readonly text: string;
  readonly facts: readonly (readonly [string, string])[];
  /** A page of the dashboard. */
  readonly link: string | null;
  /** What it is about: databases, tiers, queues. */
  readonly members: readonly string[];
  readonly since: string;
  readonly raisedAt: string;
  readonly endedAt: string;
};

export type Events = {
  readonly record?: RecordedEvent | undefined;
  readonly run?: MovingRun | undefined;
  readonly overview?: OverviewEvent | undefined;
  readonly reset?: { readonly lastSeq: number } | undefined;
};

export type Health = { readonly status: "ok" | "unavailable" };

export type Job = {
  readonly queue: "dump" | "encrypt" | "remote-sync" | "cloud-upload" | "restore" | "verify" | "maintenance";
  readonly id: string;
  readonly tier: string | null;
  readonly links: {
    readonly self: string;
    /** Bull Board */
    readonly board: string;
  };
  readonly state: "waiting" | "active" | "retrying" | "completed" | "failed";
  readonly attempts: number;
  readonly progress: {
    readonly bytes: number;
    readonly totalBytes?: number | undefined;
    readonly segments: number;
  } | null;
  /** Why the last attempt failed. */
  readonly problem: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** What it is about, as far as this says something of its kind. */
  readonly about: {
    readonly database?: string | undefined;
    readonly backupId?: string | undefined;
    readonly tier?: string | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
    /** For a restore: the name of the database that it makes. */
    readonly target?: string | undefined;
    readonly actor?: string | undefined;
    readonly slot?: string | undefined;
  };
  /** The result. For a restore: `tablesCompared`, `segmentsFrom`, `created` …; for a verification: `state`, `problems`. */
  readonly result: Readonly<Record<string, unknown>> | null;
  /** What it said, oldest first. */
  readonly log: readonly string[];
};

export type JobLink = {
  readonly queue: "dump" | "encrypt" | "remote-sync" | "cloud-upload" | "restore" | "verify" | "maintenance";
  readonly id: string;
  readonly tier: string | null;
  readonly links: {
    readonly self: string;
    /** Bull Board */
    readonly board: string;
  };
};

export type JobLogs = {
  readonly jobs: readonly {
    readonly queue: "dump" | "encrypt" | "remote-sync" | "cloud-upload" | "restore" | "verify" | "maintenance";
    readonly id: string;
    readonly tier: string | null;
    readonly lines: readonly string[];
  }[];
};

export type KeepList = {
  readonly held: readonly KeepMark[];
  readonly acceptedSizes: readonly { readonly database: string; readonly from: string }[];
  /** Marks that cannot be read. While there is one, nothing is deleted. */
  readonly problems: readonly string[];
};

export type KeepMark = {
  readonly backupId: string;
  readonly database: string;
  readonly reason: string;
  readonly actor: string;
  readonly at: string;
};

export type Me = {
  /** As it stands in the audit log. */
  readonly actor: string;
  /** viewer: looks; operator: backs up, verifies, restores; admin: everything. */
  readonly role: "viewer" | "operator" | "admin";
  readonly via: "token" | "session" | "loopback";
  /** With a session: the header x-csrf-token of whatever changes something. */
  readonly csrf: string;
};

export type MovingRun = {
  /** The id of the run, or of the job of a restore or verification. */
  readonly id: string;
  readonly kind: "backup" | "restore" | "verify";
  readonly database: string;
  readonly backupId: string | null;
  /** completed: a complete copy on every tier. incomplete: the backup is there, but not on every tier. failed: there is no backup. unknown: no complete copy yet, and the queue does not know whether one is being made. */
  readonly status: "queued" | "running" | "completed" | "incomplete" | "failed" | "unknown";
  readonly stages: readonly Stage[];
};

export type NewToken = {
  readonly name: string;
  /** viewer: looks; operator: backs up, verifies, restores; admin: everything. */
  readonly role: "viewer" | "operator" | "admin";
  readonly expiresAt: string | null;
  /** Shown now, and never again. */
  readonly token: string;
};

export type Orphan = {
  readonly name: string;
  /** gone: its server holds it no more; until that is acknowledged, the site is not ok. restored-into: left out, as Trivault itself restored into it. */
  readonly reason: "gone" | "not-configured" | "restored-into";
  readonly server: string | null;
  readonly since: string | null;
  readonly acknowledged: { readonly by: string; readonly at: string; readonly reason: string | null } | null;
  /** Complete ones, each counted once. */
  readonly backups: number;
  readonly bytes: number;
  readonly newestBackupId: string | null;
};

export type OverviewEvent = { readonly at: string; readonly ok: boolean };

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** A stable name to match on, such as NOT_FOUND or QUEUE_UNREACHABLE. */
  readonly code: string;
  readonly requestId: string;
};

export type RecordedEvent = {
  /** 1, 2, 3, … over the whole audit log. */
  readonly seq: number;
  readonly at: string;
  /** Such as backup.dump, backup.copy, backup.deleted; see docs/audit.md. */
  readonly action: string;
  readonly outcome: "ok" | "failed" | "refused";
  readonly actor: string;
  readonly database?: string | undefined;
  readonly backupId?: string | undefined;
  readonly tier?: string | undefined;
  readonly seconds?: number | undefined;
  readonly bytes?: number | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  readonly host: string;
  readonly pid: number;
};

export type Report = {
  readonly format: "trivault-report";
  readonly version: 1;
  readonly language: "en" | "fr";
  readonly timeZone: string;
  readonly madeAt: string;
  readonly recordHead: { readonly seq: number; readonly hash: string } | null;
  readonly period: { readonly from: string; readonly to: string };
  readonly window: { readonly from: string; readonly to: string };
  readonly database: string | null;
  readonly well: boolean;
  readonly summary: string;
  readonly link: string | null;
  readonly runs: {
    readonly ok: number;
    readonly incomplete: number;
    readonly failed: number;
    readonly running: number;
    readonly missed: number;
  };
  readonly successRate: number | null;
  readonly successRate30: {
    readonly value: number | null;
    readonly runs: number;
    readonly objective: number;
    readonly verdict: "met" | "missed" | "unknown";
  };
  readonly availability30: {
    readonly value: number | null;
    readonly knownSeconds: number;
    readonly goodSeconds: number;
    readonly unreachableSeconds: number;
    readonly objective: number;
    readonly verdict: "met" | "missed" | "unknown";
  };
  readonly databases: readonly {
    readonly name: string;
    readonly safe: boolean;
    readonly problem: string | null;
    readonly scheduled: boolean;
    readonly objectiveSeconds: number | null;
    readonly runs: {
      readonly ok: number;
      readonly incomplete: number;
      readonly failed: number;
      readonly running: number;
      readonly missed: number;
    };
    readonly successRate: number | null;
    readonly backup: {
      readonly count: number;
      readonly median: number | null;
      readonly p95: number | null;
      readonly worst: number | null;
      readonly target: number;
      readonly beyond: number;
    };
    readonly sync: {
      readonly count: number;
      readonly median: number | null;
      readonly p95: number | null;
      readonly worst: number | null;
      readonly target: number;
      readonly beyond: number;
    };
    readonly restore: {
      readonly count: number;
      readonly median: number | null;
      readonly p95: number | null;
      readonly worst: number | null;
      readonly target: number;
      readonly beyond: number;
    };
    readonly recoveryPoint: { readonly seconds: number | null; readonly within: boolean | null };
    readonly tiers: readonly {
      readonly tier: string;
      readonly ok: boolean;
      readonly backups: number;
      readonly bytes: number;
      readonly ageSeconds: number | null;
    }[];
    readonly size: { readonly bytes: number | null; readonly change: number | null; readonly perDay: number | null };
    readonly costPerMonth: number | null;
    readonly successRate30: {
      readonly value: number | null;
      readonly runs: number;
      readonly objective: number;
      readonly verdict: "met" | "missed" | "unknown";
    };
    readonly availability30: {
      readonly value: number | null;
      readonly knownSeconds: number;
      readonly goodSeconds: number;
      readonly unreachableSeconds: number;
      readonly objective: number;
      readonly verdict: "met" | "missed" | "unknown";
    };
  }[];
  readonly tiers: readonly {
    readonly name: string;
    readonly kind: "local" | "sftp" | "s3";
    readonly reachable: boolean;
    readonly unreachableSeconds: number;
    readonly backups: number;
    readonly damaged: number;
    readonly untrusted: number;
    readonly unknown: number;
    readonly bytes: number;
    readonly free: number | null;
    readonly total: number | null;
    readonly bytesPerDay: number | null;
    readonly fullAt: string | null;
    readonly overBudget: boolean;
    readonly costPerMonth: number | null;
  }[];
  readonly failures: readonly {
    readonly code: string;
    readonly stage: "dump" | "encrypt" | "copy";
    readonly tier: string | null;
    readonly message: string;
    readonly runs: number;
    readonly databases: readonly string[];
    readonly firstAt: string;
    readonly lastAt: string;
    readonly recovered: boolean;
    readonly advice: string;
  }[];
  readonly decisions: readonly {
    readonly kind:
      | "unsafe"
      | "tier-unreachable"
      | "alert-open"
      | "retention-held"
      | "damaged"
      | "untrusted"
      | "unknown"
      | "over-budget"
      | "full-soon"
      | "missed-slots"
      | "no-schedule"
      | "mark-unreadable"
      | "mark-old"
      | "not-verified"
      | "not-restored";
    readonly severity: "critical" | "warning" | "info";
    readonly database: string | null;
    readonly tier: string | null;
    readonly since: string | null;
    readonly text: string;
    readonly command: string | null;
  }[];
  readonly verifications: {
    readonly good: number;
    readonly bad: number;
    readonly lastAt: string | null;
    readonly databases: number;
  };
  readonly restores: {
    readonly good: number;
    readonly bad: number;
    readonly list: readonly {
      readonly at: string;
      readonly database: string | null;
      readonly backupId: string | null;
      readonly outcome: "ok" | "failed" | "refused";
      readonly seconds: number | null;
      readonly bytes: number | null;
      readonly problem: string | null;
    }[];
  };
  readonly days: readonly {
    readonly day: string;
    readonly whole: boolean;
    readonly ok: number;
    readonly incomplete: number;
    readonly failed: number;
    readonly missed: number;
    readonly bytes: number;
  }[];
};

export type ReportList = {
  readonly reports: readonly {
    readonly day: string;
    readonly madeAt: string;
    readonly from: string;
    readonly to: string;
    readonly well: boolean;
    readonly summary: string;
    readonly mailedAt: string | null;
    /** Why it could not be mailed yet. */
    readonly mailProblem: string | null;
    readonly links: { readonly html: string; readonly json: string };
  }[];
};

export type RequestedBackup = {
  readonly id: string;
  readonly database: string;
  /** A backup of this database waits already, and serves this request as well. */
  readonly joined: boolean;
  /** completed: a complete copy on every tier. incomplete: the backup is there, but not on every tier. failed: there is no backup. unknown: no complete copy yet, and the queue does not know whether one is being made. */
  readonly status: "queued" | "running" | "completed" | "incomplete" | "failed" | "unknown";
  readonly links: {
    readonly self: string;
    /** Bull Board, for looking at the jobs */
    readonly queues: string;
  };
};

export type Restoration = {
  readonly at: string;
  readonly backupId: string | null;
  readonly outcome: "ok" | "failed" | "refused";
  readonly actor: string;
  readonly seconds: number | null;
  readonly bytes: number | null;
  readonly target: string | null;
  readonly problem: string | null;
};

export type RestorePlan = {
  /** No check failed. What cannot be known from here (ok: null) may still. */
  readonly ok: boolean;
  readonly backupId: string;
  readonly database: string;
  readonly target: string;
  readonly bytes: number | null;
  /** By the last restore of this database; null where there was none. */
  readonly estimatedSeconds: number | null;
  readonly checks: readonly {
    readonly check: "backup" | "verified" | "identity" | "server" | "target" | "tools" | "space" | "worker";
    readonly ok: boolean | null;
    readonly detail: string;
  }[];
};

export type RetentionPage = {
  readonly backups: readonly {
    readonly backupId: string;
    readonly startedAt: string;
    readonly bytes: number;
    readonly keep: string | null;
    readonly tiers: readonly {
      readonly tier: string;
      readonly state: "complete" | "damaged" | "untrusted" | "partial" | "unknown" | "absent";
      readonly action: "keep" | "delete" | "copy" | "none";
      readonly reasons: readonly string[];
      /** Until when a deletion waits, as the rules changed. */
      readonly heldUntil: string | null;
    }[];
  }[];
  readonly total: number;
  /** Absent on the last page. */
  readonly nextCursor?: string | undefined;
};

export type RevokedToken = { readonly name: string; readonly revoked: true };

export type Run = {
  readonly backupId: string;
  readonly database: string;
  readonly startedAt: string;
  /** incomplete: the backup is there, but a copy of it failed for good or is late. */
  readonly state: "ok" | "incomplete" | "failed" | "running";
  readonly actor: string;
  readonly slot: string | null;
  readonly seconds: number;
  readonly bytes: number | null;
  /** In all tables, as the dump saw them; null where they were not counted. */
  readonly rows: number | null;
  readonly stages: readonly {
    readonly stage: "dump" | "encrypt" | "copy";
    readonly tier: string | null;
    readonly outcome: "ok" | "failed" | "refused";
    readonly endedAt: string;
    readonly seconds: number;
    readonly bytes: number;
    readonly attempts: number;
  }[];
  readonly problem: { readonly code: string; readonly message: string } | null;
};

export type RunPage = {
  readonly runs: readonly Run[];
  readonly total: number;
  /** Absent on the last page. */
  readonly nextCursor?: string | undefined;
};

export type Silence = { readonly reason: string; readonly by: string; readonly at: string; readonly until: string };

export type Stage = {
  readonly stage: "dump" | "encrypt" | "remote-sync" | "cloud-upload" | "restore" | "verify" | "maintenance";
  /** For copies: where to. */
  readonly tier: string | null;
  readonly state: "waiting" | "active" | "retrying" | "completed" | "failed";
  readonly attempts: number;
  readonly progress: {
    readonly bytes: number;
    readonly totalBytes?: number | undefined;
    readonly segments: number;
  } | null;
  /** Why the last attempt failed. */
  readonly problem: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

export type StartedCopy = {
  readonly backupId: string;
  readonly database: string;
  readonly to: string;
  /** Null: the tier has a complete copy already, and nothing was started. */
  readonly from: string | null;
  readonly job: JobLink | null;
};

export type StartedJobs = { readonly backupId: string; readonly database: string; readonly jobs: readonly JobLink[] };

export type StartedRestore = {
  readonly backupId: string;
  readonly database: string;
  readonly target: string;
  /** The very same restore was asked for already, and has not ended. */
  readonly joined: boolean;
  readonly job: JobLink;
};

export type StartedSync = {
  readonly tier: string;
  /** Backups that it holds whole; null: it could not be looked at. */
  readonly complete: number | null;
  readonly copies: readonly {
    readonly database: string;
    readonly backupId: string;
    readonly from: string;
    readonly bytes: number;
    readonly job: JobLink;
  }[];
  /** Wanted there, and whole nowhere. */
  readonly sourceless: readonly { readonly database: string; readonly backupId: string }[];
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
};

export type TierDetails = {
  readonly at: string;
  readonly health: TierHealth;
  readonly row: TierTrend;
  readonly samples: readonly {
    readonly at: string;
    readonly bytes: number;
    readonly copies: number;
    readonly free: number | null;
    readonly total: number | null;
    readonly latencySeconds: number | null;
  }[];
  readonly costs: readonly {
    readonly storageClass: string;
    readonly bytes: number;
    readonly perMonth: number | null;
  }[];
  readonly databases: readonly { readonly database: string; readonly backups: number; readonly bytes: number }[];
  readonly verifications: readonly {
    readonly at: string;
    readonly database: string | null;
    readonly backupId: string | null;
    readonly tier: string | null;
    readonly good: boolean;
    readonly problem: string | null;
  }[];
  readonly place: string;
};

export type TierHealth = {
  readonly name: string;
  readonly kind: "local" | "sftp" | "s3";
  /** False: its figures are what was known last. */
  readonly reachable: boolean;
  readonly unreachableSince: string | null;
  readonly problem: string | null;
  readonly scannedAt: string | null;
  readonly complete: number;
  readonly damaged: number;
  readonly untrusted: number;
  readonly partial: number;
  /** Could not be read, though the tier can be reached: nothing is known of them. */
  readonly unknown: number;
  readonly unknownReason: string | null;
  readonly bytes: number;
  readonly free: number | null;
  readonly total: number | null;
  readonly overBudget: boolean;
};

export type TierList = {
  readonly at: string;
  readonly tiers: readonly {
    readonly name: string;
    readonly kind: "local" | "sftp" | "s3";
    /** False: its figures are what was known last. */
    readonly reachable: boolean;
    readonly unreachableSince: string | null;
    readonly problem: string | null;
    readonly scannedAt: string | null;
    readonly complete: number;
    readonly damaged: number;
    readonly untrusted: number;
    readonly partial: number;
    /** Could not be read, though the tier can be reached: nothing is known of them. */
    readonly unknown: number;
    readonly unknownReason: string | null;
    readonly bytes: number;
    readonly free: number | null;
    readonly total: number | null;
    readonly overBudget: boolean;
    readonly place: string;
    readonly trend: TierTrend | null;
    readonly links: { readonly self: string; readonly cleanup: string };
  }[];
};

export type TierTest = {
  readonly tier: string;
  readonly kind: "local" | "sftp" | "s3";
  readonly ok: boolean;
  readonly steps: readonly {
    readonly step: string;
    /** Null: not tried, as a step that it needs failed. */
    readonly ok: boolean | null;
    /** What was seen. */
    readonly detail: string;
    /** What to do. */
    readonly advice: string | null;
    readonly seconds: number;
  }[];
};

export type TierTrend = {
  readonly name: string;
  readonly bytesPerDay: number | null;
  /** When it will be full at that rate. */
  readonly fullAt: string | null;
  readonly latencySeconds: number | null;
  readonly costPerMonth: number | null;
};

export type Token = {
  readonly name: string;
  /** viewer: looks; operator: backs up, verifies, restores; admin: everything. */
  readonly role: "viewer" | "operator" | "admin";
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly expired: boolean;
  /** To ten minutes. */
  readonly lastUsedAt: string | null;
};

export type TokenList = { readonly tokens: readonly Token[] };

export type User = {
  readonly name: string;
  /** viewer: looks; operator: backs up, verifies, restores; admin: everything. */
  readonly role: "viewer" | "operator" | "admin";
  readonly createdAt: string;
  readonly createdBy: string;
  readonly lastLoginAt: string | null;
  readonly recoveryCodesLeft: number;
};

export type UserList = { readonly users: readonly User[] };

export interface Operations {
  /** Say that a database did become so small. */
  readonly acceptSize: {
    readonly input: { readonly name: string } & { readonly from: string };
    readonly answer: AcceptedSize;
  };
  /** Take note that a discovered database is gone: nobody is alerted of it from then on. */
  readonly acknowledgeDatabase: {
    readonly input: { readonly name: string } & { readonly reason?: string | undefined };
    readonly answer: Acknowledgement;
  };
  /** Test every connection: databases, servers, tiers. */
  readonly checkConfig: { readonly input: {}; readonly answer: Connections };
  /** What a restore would find: everything that it needs, looked at first. */
  readonly checkRestore: {
    readonly input: {
      readonly backupId: string;
      /** The name of the database to make. One that exists and is not empty is refused. */
      readonly target: string;
      /** The server that the backup came from, or that of BACKUP_RESTORE_TARGET (of the worker). */
      readonly to?: "source-server" | "restore-server" | undefined;
      /** A tier, or any: each segment from the first tier that has a good one. */
      readonly from?: string | undefined;
      /** Everything belongs to the user who restores; no grants. */
      readonly noOwner?: boolean | undefined;
      /** First make those roles of the backup that the target lacks. None that exists there is changed or granted to. */
      readonly globals?: boolean | undefined;
      /** More than one restores in parallel, through the spool. */
      readonly jobs?: number | undefined;
    };
    readonly answer: RestorePlan;
  };
  /** Delete from a tier what the plan says, and what is orphaned. Takes an idempotency key. */
  readonly cleanUpTier: {
    readonly input: { readonly name: string } & { readonly digest: string; readonly database?: string | undefined };
    readonly answer: CleanedUp;
  };
  /** Bring a backup to a tier now. Takes an idempotency key. */
  readonly copyBackup: {
    readonly input: { readonly id: string } & { readonly to: string };
    readonly answer: StartedCopy;
  };
  /** Ask for a backup now. Takes an idempotency key. */
  readonly createBackup: { readonly input: { readonly database: string }; readonly answer: RequestedBackup };
  /** Make a named token. */
  readonly createToken: {
    readonly input: {
      readonly name: string;
      /** viewer: looks; operator: backs up, verifies, restores; admin: everything. */
      readonly role: "viewer" | "operator" | "admin";
      /** Null: never. Better is a date. */
      readonly expiresAt: string | null;
    };
    readonly answer: NewToken;
  };
  /** Delete all backups of a database that is not configured, from all tiers. */
  readonly discardBackups: {
    readonly input: { readonly name: string } & { readonly digest: string };
    readonly answer: Discarded;
  };
  /** Hold a backup on all tiers, whatever the rules say. */
  readonly keepBackup: {
    readonly input: { readonly id: string } & { readonly reason: string };
    readonly answer: KeepMark;
  };
  /** The alerts that fire now, the worst first, and what ended lately. */
  readonly listAlerts: { readonly input: { readonly language?: "en" | "fr" | undefined }; readonly answer: AlertList };
  /** The audit log, newest first: who did what when, and how it ended. */
  readonly listAudit: {
    readonly input: {
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      readonly actor?: string | undefined;
      readonly database?: string | undefined;
      readonly backupId?: string | undefined;
      readonly tier?: string | undefined;
      readonly action?:
        | "backup.requested"
        | "backup.dump"
        | "backup.encrypt"
        | "backup.copy"
        | "backup.deleted"
        | "backup.adopted"
        | "backup.verified"
        | "backup.restored"
        | "keep.marked"
        | "keep.released"
        | "size.accepted"
        | "tier.vanished"
        | "tier.shrunk"
        | "tier.repaired"
        | "tier.recovery-note"
        | "tier.unreachable"
        | "tier.reachable"
        | "tier.over-budget"
        | "tier.swept"
        | "retention.held"
        | "schedule.missed"
        | "database.vanished"
        | "database.returned"
        | "database.acknowledged"
        | "database.discarded"
        | "report.sent"
        | "report.failed"
        | "site.begun"
        | "site.recovered"
        | "site.moved"
        | "config.loaded"
        | "config.refused"
        | "job.refused"
        | "access.login"
        | "access.refused"
        | "access.token"
        | "access.user"
        | "audit.healed"
        | "audit.broken"
        | "alert.raised"
        | "alert.resolved"
        | "alert.silenced"
        | "alert.unsilenced"
        | "channel.failed"
        | undefined;
      readonly outcome?: "ok" | "failed" | "refused" | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
    };
    readonly answer: AuditPage;
  };
  /** The backups on all tiers, newest first. */
  readonly listBackups: {
    readonly input: {
      readonly database?: string | undefined;
      readonly from?: string | undefined;
      readonly to?: string | undefined;
      readonly tier?: string | undefined;
      readonly state?: "complete" | "damaged" | "untrusted" | "partial" | "unknown" | undefined;
      readonly kept?: boolean | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly fresh?: boolean | undefined;
    };
    readonly answer: BackupList;
  };
  /** The databases, the health of each, and when it is backed up next. */
  readonly listDatabases: { readonly input: {}; readonly answer: DatabaseList };
  /** What is held by hand, and which sizes were accepted. */
  readonly listKeeps: { readonly input: {}; readonly answer: KeepList };
  /** The reports that were made by schedule and are kept, newest first. */
  readonly listReports: { readonly input: {}; readonly answer: ReportList };
  /** Every backup on any tier, newest first, and why it stays or goes. */
  readonly listRetention: {
    readonly input: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly name: string;
    };
    readonly answer: RetentionPage;
  };
  /** The runs of the last 30 days, newest first. */
  readonly listRuns: {
    readonly input: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly name: string;
    };
    readonly answer: RunPage;
  };
  /** The tiers: what is on each, and how fast it grows. */
  readonly listTiers: { readonly input: {}; readonly answer: TierList };
  /** The named tokens, without their secrets. */
  readonly listTokens: { readonly input: {}; readonly answer: TokenList };
  /** The users of the dashboard. */
  readonly listUsers: { readonly input: {}; readonly answer: UserList };
  /** Whether backups can be taken on: Redis answers, and takes writes. */
  readonly live: { readonly input: {}; readonly answer: Health };
  /** Make a report of any period now; it is neither kept nor mailed. */
  readonly makeReport: {
    readonly input: { readonly format?: "json" | "html" | undefined } & {
      /** 24 hours before `to` where it is left out. */
      readonly from?: string | undefined;
      /** Now where it is left out. */
      readonly to?: string | undefined;
      /** Only about this database. */
      readonly database?: string | undefined;
      readonly language?: "en" | "fr" | undefined;
    };
    readonly answer: Report | string;
  };
  /** What retention would delete from a tier, and why. */
  readonly planCleanup: {
    readonly input: { readonly database?: string | undefined; readonly name: string };
    readonly answer: CleanupPlan;
  };
  /** What discarding all backups of a database that is not configured would delete. */
  readonly planDiscard: { readonly input: { readonly name: string }; readonly answer: DiscardPlan };
  /** Release a backup: the rules apply to it again. */
  readonly releaseBackup: {
    readonly input: { readonly reason?: string | undefined; readonly id: string };
    readonly answer: KeepMark;
  };
  /** Restore a backup into a new database. Takes an idempotency key. */
  readonly restoreBackup: {
    readonly input: { readonly id: string } & {
      /** The name of the database to make. One that exists and is not empty is refused. */
      readonly target: string;
      /** The server that the backup came from, or that of BACKUP_RESTORE_TARGET (of the worker). */
      readonly to?: "source-server" | "restore-server" | undefined;
      /** A tier, or any: each segment from the first tier that has a good one. */
      readonly from?: string | undefined;
      /** Everything belongs to the user who restores; no grants. */
      readonly noOwner?: boolean | undefined;
      /** First make those roles of the backup that the target lacks. None that exists there is changed or granted to. */
      readonly globals?: boolean | undefined;
      /** More than one restores in parallel, through the spool. */
      readonly jobs?: number | undefined;
    };
    readonly answer: StartedRestore;
  };
  /** Revoke a named token, at once. */
  readonly revokeToken: { readonly input: { readonly name: string }; readonly answer: RevokedToken };
  /** The progress of a requested backup, or what is known of one. */
  readonly showBackup: { readonly input: { readonly id: string }; readonly answer: BackupDetails };
  /** What is in force, secrets hidden. */
  readonly showConfig: { readonly input: {}; readonly answer: Configuration };
  /** The JSON Schema of trivault.config.yaml. */
  readonly showConfigSchema: { readonly input: {}; readonly answer: Readonly<Record<string, unknown>> };
  /** One database: health, rates, restores. */
  readonly showDatabase: { readonly input: { readonly name: string }; readonly answer: DatabaseDetails };
  /** Whether every database is safe on all its tiers. */
  readonly showHealth: { readonly input: {}; readonly answer: BackupHealth };
  /** The progress of a job: a restore, a verification, a stage of a backup. */
  readonly showJob: {
    readonly input: {
      readonly queue: "dump" | "encrypt" | "remote-sync" | "cloud-upload" | "restore" | "verify" | "maintenance";
      readonly id: string;
    };
    readonly answer: Job;
  };
  /** What the jobs of a backup said, as far as the queue remembers. */
  readonly showLog: { readonly input: { readonly id: string }; readonly answer: JobLogs };
  /** What a backup's manifest says on each tier, and whose signature it bears. */
  readonly showManifest: { readonly input: { readonly id: string }; readonly answer: BackupManifest };
  /** The report of a day. */
  readonly showReport: {
    readonly input: { readonly format?: "json" | "html" | undefined; readonly day: string };
    readonly answer: Report | string;
  };
  /** One tier: capacity over time, cost, what is of which database, what was verified. */
  readonly showTier: { readonly input: { readonly name: string }; readonly answer: TierDetails };
  /** Silence an alert until a time; it is evaluated all the same. */
  readonly silenceAlert: {
    readonly input: { readonly id: string } & {
      readonly reason: string;
      /** In the future, within a year. */
      readonly until: string;
    };
    readonly answer: Silence;
  };
  /** Bring every backup that is missing on a tier, from whichever tier has it. Takes an idempotency key. */
  readonly syncTier: {
    readonly input: { readonly name: string } & { readonly database?: string | undefined };
    readonly answer: StartedSync;
  };
  /** Send a real message through one channel, or all, and show which took it. */
  readonly testAlerts: { readonly input: { readonly channel?: string | undefined }; readonly answer: ChannelTests };
  /** Test a tier step by step: which step fails, and what to do. */
  readonly testTier: { readonly input: { readonly name: string }; readonly answer: TierTest };
  /** End the silence of an alert. */
  readonly unsilenceAlert: { readonly input: { readonly id: string }; readonly answer: undefined };
  /** Whether the audit log is as it was written, line by line. */
  readonly verifyAudit: { readonly input: {}; readonly answer: AuditVerdict };
  /** Read every byte of a backup's copies where they are, and compare it with the signed manifest. Takes an idempotency key. */
  readonly verifyBackup: {
    readonly input: { readonly id: string } & { readonly tiers?: readonly string[] | undefined };
    readonly answer: StartedJobs;
  };
  /** Who asks, and with which role. */
  readonly whoAmI: { readonly input: {}; readonly answer: Me };
}

/** Where each goes: what of its input belongs into the path and the query; the rest is the body. */
export const OPERATIONS = {
  acceptSize: { method: "POST", path: "/api/v1/databases/{name}/accept-size", query: [], body: true },
  acknowledgeDatabase: { method: "POST", path: "/api/v1/databases/{name}/acknowledge", query: [], body: true },
  checkConfig: { method: "POST", path: "/api/v1/config/check", query: [], body: false },
  checkRestore: { method: "POST", path: "/api/v1/restores/check", query: [], body: true },
  cleanUpTier: { method: "POST", path: "/api/v1/tiers/{name}/cleanup", query: [], body: true },
  copyBackup: { method: "POST", path: "/api/v1/backups/{id}/copy", query: [], body: true },
  createBackup: { method: "POST", path: "/api/v1/backups", query: [], body: true },
  createToken: { method: "POST", path: "/api/v1/tokens", query: [], body: true },
  discardBackups: { method: "POST", path: "/api/v1/databases/{name}/discard", query: [], body: true },
  keepBackup: { method: "PUT", path: "/api/v1/backups/{id}/keep", query: [], body: true },
  listAlerts: { method: "GET", path: "/api/v1/alerts", query: ["language"], body: false },
  listAudit: {
    method: "GET",
    path: "/api/v1/audit",
    query: ["from", "to", "actor", "database", "backupId", "tier", "action", "outcome", "limit", "cursor"],
    body: false,
  },
  listBackups: {
    method: "GET",
    path: "/api/v1/backups",
    query: ["database", "from", "to", "tier", "state", "kept", "limit", "cursor", "fresh"],
    body: false,
  },
  listDatabases: { method: "GET", path: "/api/v1/databases", query: [], body: false },
  listKeeps: { method: "GET", path: "/api/v1/keeps", query: [], body: false },
  listReports: { method: "GET", path: "/api/v1/reports", query: [], body: false },
  listRetention: { method: "GET", path: "/api/v1/databases/{name}/retention", query: ["limit", "cursor"], body: false },
  listRuns: { method: "GET", path: "/api/v1/databases/{name}/runs", query: ["limit", "cursor"], body: false },
  listTiers: { method: "GET", path: "/api/v1/tiers", query: [], body: false },
  listTokens: { method: "GET", path: "/api/v1/tokens", query: [], body: false },
  listUsers: { method: "GET", path: "/api/v1/users", query: [], body: false },
  live: { method: "GET", path: "/healthz", query: [], body: false },
  makeReport: { method: "POST", path: "/api/v1/reports", query: ["format"], body: true },
  planCleanup: { method: "GET", path: "/api/v1/tiers/{name}/cleanup", query: ["database"], body: false },
  planDiscard: { method: "GET", path: "/api/v1/databases/{name}/discard", query: [], body: false },
  releaseBackup: { method: "DELETE", path: "/api/v1/backups/{id}/keep", query: ["reason"], body: false },
  restoreBackup: { method: "POST", path: "/api/v1/backups/{id}/restore", query: [], body: true },
  revokeToken: { method: "DELETE", path: "/api/v1/tokens/{name}", query: [], body: false },
  showBackup: { method: "GET", path: "/api/v1/backups/{id}", query: [], body: false },
  showConfig: { method: "GET", path: "/api/v1/config", query: [], body: false },
  showConfigSchema: { method: "GET", path: "/api/v1/config/schema", query: [], body: false },
  showDatabase: { method: "GET", path: "/api/v1/databases/{name}", query: [], body: false },
  showHealth: { method: "GET", path: "/api/v1/health", query: [], body: false },
  showJob: { method: "GET", path: "/api/v1/jobs/{queue}/{id}", query: [], body: false },
  showLog: { method: "GET", path: "/api/v1/backups/{id}/log", query: [], body: false },
  showManifest: { method: "GET", path: "/api/v1/backups/{id}/manifest", query: [], body: false },
  showReport: { method: "GET", path: "/api/v1/reports/{day}", query: ["format"], body: false },
  showTier: { method: "GET", path: "/api/v1/tiers/{name}", query: [], body: false },
  silenceAlert: { method: "POST", path: "/api/v1/alerts/{id}/silence", query: [], body: true },
  syncTier: { method: "POST", path: "/api/v1/tiers/{name}/sync", query: [], body: true },
  testAlerts: { method: "POST", path: "/api/v1/alerts/test", query: [], body: true },
  testTier: { method: "POST", path: "/api/v1/tiers/{name}/test", query: [], body: false },
  unsilenceAlert: { method: "DELETE", path: "/api/v1/alerts/{id}/silence", query: [], body: false },
  verifyAudit: { method: "GET", path: "/api/v1/audit/verify", query: [], body: false },
  verifyBackup: { method: "POST", path: "/api/v1/backups/{id}/verify", query: [], body: true },
  whoAmI: { method: "GET", path: "/api/v1/me", query: [], body: false },
} as const satisfies Record<keyof Operations, Route>;

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly body: boolean;
}
