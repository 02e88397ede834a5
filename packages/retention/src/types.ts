import type { CopyState, RetentionPolicy } from "@trivault/core";

/** All that retention looks at, of one database. */
export interface PlanInput {
  readonly database: string;
  /** IANA name: whose calendar decides where an hour, a day, a week begins. */
  readonly timeZone: string;
  readonly now: Date;
  readonly tiers: readonly PlanTier[];
  readonly backups: readonly PlanBackup[];
  /** Backups from this one on displace those before it, however small they are; null: nobody has said so. */
  readonly sizeAcceptedFrom: string | null;
}

export interface PlanTier {
  readonly name: string;
  /** Null: everything stays. */
  readonly policy: RetentionPolicy | null;
  /** False where the tier could not be looked at: what it holds is not known. */
  readonly known: boolean;
}

export interface PlanBackup {
  readonly id: string;
  readonly startedAt: Date;
  readonly bytes: number;
  /** By tier name; a tier that holds nothing of it is missing here. */
  readonly copies: Readonly<Record<string, CopyState>>;
  /** Why somebody wants it kept (legal hold), or null. */
  readonly keep: string | null;
}

/** What is to become of one backup on one tier. */
export interface Decision {
  readonly database: string;
  readonly backupId: string;
  readonly tier: string;
  readonly bytes: number;
  /** What the tier holds of it now; null: nothing. */
  readonly state: CopyState | null;
  /** `copy`: the tier lacks it, or holds it incomplete, and shall have it. `none`: the tier lacks it, and that is right. */
  readonly action: "keep" | "delete" | "copy" | "none";
  /** For people: `daily 2026-11-20`, `one of the newest 2`, `kept by hand: lawsuit 4711`, `beyond every rule`. */
  readonly reasons: readonly string[];
  /** When a deletion that only the newest rules make may happen (ISO 8601); until then it waits, unless somebody orders it. */
  readonly heldUntil?: string;
}

export interface Plan {
  /** Newest first, then by tier in the order given. None is made for a tier that is not known. */
  readonly decisions: readonly Decision[];
  /** What an operator should know: held back deletions, odd sizes, dates in the future. */
  readonly warnings: readonly string[];
}
