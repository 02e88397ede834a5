import type { CopyState } from "@trivault/core";

/** What one look at a tier found. Cached as `BACKUP_DIR/.trivault/inventory/<tier>.json`; can be rebuilt at any time. */
export interface Inventory {
  readonly tier: string;
  readonly scannedAt: Date;
  readonly copies: readonly InventoryCopy[];
  /** Bytes of the file system or account, where the tier reports them. */
  readonly capacity: { readonly free: number; readonly total: number } | null;
}

export interface InventoryCopy {
  readonly database: string;
  readonly backupId: string;
  readonly state: CopyState;
  /** Why its state is unknown, for people. */
  readonly problem: string | null;
  /** Where its state is unknown, or it is not trusted by the keys of whoever looked: what it was when it was known last. */
  readonly lastState: CopyState | null;
  /** As listed, all objects. */
  readonly bytes: number;
  readonly objects: number;
  readonly newestAt: Date;
  /** When a backup that was dated in the future was first seen. It is no younger than this. */
  readonly seenAt?: Date | undefined;
  /** Bytes by storage class, where the tier reports classes. */
  readonly classes: Readonly<Record<string, number>>;
  /** Stamps (inventory-listing.ts) of its segments as they were when they were first seen, or verified last. */
  readonly stamps: string;
  /** Identifies the manifest that was read: while the listing shows the same, it is not read again. */
  readonly manifest: { readonly size: number; readonly modifiedAt: Date } | null;
  /** How many segments the manifest names, and the sum of their sizes, as they should be there. */
  readonly expected: { readonly objects: number; readonly bytes: number } | null;
}
