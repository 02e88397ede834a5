import type { Config, Logger } from "@trivault/core";
import type { Sealer, SigningKey } from "@trivault/crypto";
import type { Tier } from "@trivault/storage";

/** What the stages of one site share: its folders, its tiers, and how it seals and signs. */
export interface Site {
  readonly config: Config;
  /** All tiers; the first is the local one, which every other is copied from. */
  readonly tiers: readonly [Tier, ...Tier[]];
  readonly sealer: () => Sealer;
  readonly signingKey: () => Promise<SigningKey>;
  /** The time, for whatever is dated; a simulation may let it run faster. */
  readonly now: () => Date;
}

/** What a stage is given beside its payload. */
export interface StageContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Readable lines for whoever watches this run (Bull Board, the CLI). */
  readonly note: (line: string) => void;
  readonly progress: (progress: Progress) => void;
  /** Asks that another stage of the same backup be begun; it then follows this one. Idempotent. */
  readonly start: (next: NextStage) => Promise<void>;
}

export interface Progress {
  /** Bytes that this stage has written so far, as they lie where it writes them. */
  readonly bytes: number;
  /** Where it is known. */
  readonly totalBytes?: number;
  readonly segments: number;
}

export interface BackupRef {
  readonly database: string;
  readonly backupId: string;
}

export type NextStage =
  | ({ readonly stage: "encrypt" } & BackupRef)
  | ({ readonly stage: "copy"; readonly from: string; readonly to: string } & BackupRef);
