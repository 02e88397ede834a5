/** How well a site is, as plain JSON: times are ISO 8601 in UTC. */
export interface HealthReport {
  /** Complete and trusted backups on the local tier. */
  readonly localBackups: number;
  /** Distinct ones on servers, and on further local tiers. */
  readonly remoteBackups: number;
  /** Distinct ones in buckets. */
  readonly cloudBackups: number;
  /** When a copy was last brought to another tier; null: never, as far as anybody remembers. */
  readonly lastSyncTime: string | null;
  /** `failed`: a tier cannot be reached, or a copy that is lacking could not be made. `pending`: copies are on their way. */
  readonly syncStatus: "success" | "failed" | "pending";
  readonly diskUsage: { readonly local: string; readonly remote: string; readonly cloud: string };
  /** Every database meets its objective on each of its tiers, and none has vanished unnoticed. */
  readonly ok: boolean;
  readonly databases: readonly DatabaseHealth[];
  readonly tiers: readonly TierHealth[];
  /** What is not backed up (any more), by name. */
  readonly orphans: readonly Orphan[];
}

/**
 * A database that nobody backs up. `gone`: it was discovered, and its server does not hold it any more; until somebody takes
 * note, the site is not healthy. `not-configured`: only backups of it are there. `restored-into`: it is left out, as Trivault
 * itself restored into it.
 */
export interface Orphan {
  readonly name: string;
  readonly reason: "gone" | "not-configured" | "restored-into";
  readonly server: string | null;
  /** Since when it is gone, or when it was restored into; null: not known. */
  readonly since: string | null;
  readonly acknowledged: { readonly by: string; readonly at: string; readonly reason: string | null } | null;
  /** Complete ones, each counted once. */
  readonly backups: number;
  /** The bytes of all its copies on all tiers. */
  readonly bytes: number;
  readonly newestBackupId: string | null;
}

/** It was there, is gone, and nobody has taken note. */
export function isVanished({ reason, acknowledged }: Orphan): boolean {
  return reason === "gone" && acknowledged === null;
}

export interface DatabaseHealth {
  readonly name: string;
  readonly ok: boolean;
  /** How old the newest good copy on a tier may be; null: it is enough that there is one. */
  readonly objectiveSeconds: number | null;
  readonly nextRun: string | null;
  /** How the last run's dump ended; null: nobody remembers one. */
  readonly lastRun: { readonly outcome: "ok" | "failed" | "refused"; readonly at: string } | null;
  readonly tiers: readonly DatabaseTierHealth[];
  /** One sentence, where it is not healthy. */
  readonly problem: string | null;
}

export interface DatabaseTierHealth {
  readonly tier: string;
  readonly ok: boolean;
  /** The newest of the complete and trusted copies; null: there is none, as far as is known. */
  readonly newestBackupId: string | null;
  readonly ageSeconds: number | null;
  readonly backups: number;
  readonly bytes: number;
  /** Copies that are there and could not be read: they may be good, and do not count. */
  readonly unknown: number;
  /** Copies that shall be there and are not; null where the tier could not be looked at. */
  readonly lacking: number | null;
}

export interface TierHealth {
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
  /** Why one of them could not be read. */
  readonly unknownReason: string | null;
  readonly bytes: number;
  readonly free: number | null;
  readonly total: number | null;
  readonly overBudget: boolean;
}
