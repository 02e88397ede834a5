/** The tiers that hold a good copy of each database; null: the site could not be looked at. */
export type Safety = readonly SafeDatabase[] | null;

export interface SafeDatabase {
  readonly database: string;
  readonly copies: readonly SafeCopy[];
}

export interface SafeCopy {
  readonly tier: string;
  /** In seconds; null: not known. */
  readonly age: number | null;
  /** False: as it was when the tier was last reached. */
  readonly reachable: boolean;
}

/** What of a backup is unlike those before it; one of both at least. */
export interface Sizes {
  readonly database: string;
  readonly bytes: Change | null;
  readonly rows: Change | null;
}

export interface Change {
  readonly newest: number;
  /** The median of those before it. */
  readonly usual: number;
}

/** How many times larger or smaller, and never less than 1. */
export function timesOf({ newest, usual }: Change): number {
  return Math.max(newest, usual) / Math.max(1, Math.min(newest, usual));
}

export interface Expiring {
  readonly kind: "token" | "certificate";
  /** For a certificate, the server that shows it: `s3.example.org:443`. */
  readonly name: string;
  readonly at: Date;
}

/** So many of many names are shown. */
export const MOST_NAMED = 8;
