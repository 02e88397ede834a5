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
  /** Every database meets its objective on each of its tiers. */
  readonly ok: boolean;
  readonly databases: readonly DatabaseHealth[];
  readonly tiers: readonly TierHealth[];
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
  /** One sentence, where it is not well. */
  readonly problem: string | null;
}

export interface DatabaseTierHealth {
  readonly tier: string;
  readonly ok: boolean;
  /** Of the complete and trusted copies; null: there is none, as far as is known. */
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
  /** False: what is told of it is what was known last. */
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
