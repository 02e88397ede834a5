import type { Config, TierConfig } from "@trivault/core";

/** What a tier holds, and what that costs. */
export interface TierCost {
  readonly tier: string;
  readonly bytes: number;
  /** By storage class; a tier that reports none has all in `STANDARD`. */
  readonly classes: readonly ClassCost[];
  /** Money per month by the configured prices; null where not every class has one. */
  readonly perMonth: number | null;
}

export interface ClassCost {
  readonly storageClass: string;
  readonly bytes: number;
  readonly perMonth: number | null;
}

/** A copy as a tier holds it; `classes`: bytes by storage class, where the tier says it. */
interface HeldCopy {
  readonly bytes: number;
  readonly classes: Readonly<Record<string, number>>;
}

/** Prices are per GB as clouds reckon it. */
const GB = 1e9;

export function costOf(
  config: Pick<Config, "tiers">,
  inventories: readonly { readonly tier: string; readonly copies: readonly HeldCopy[] }[],
): TierCost[] {
  return config.tiers.flatMap((tier) => {
    const inventory = inventories.find((candidate) => candidate.tier === tier.name);
    return inventory ? [costOfCopies(tier, inventory.copies)] : [];
  });
}

/** The cost of some copies on a tier: those that a plan deletes, say. */
export function costOfCopies(tier: TierConfig, copies: readonly HeldCopy[]): TierCost {
  const bytesOf = new Map<string, number>();
  for (const copy of copies) {
    const classes = Object.entries(copy.classes);
    for (const [storageClass, bytes] of classes.length > 0 ? classes : [["STANDARD", copy.bytes] as const]) {
      bytesOf.set(storageClass, (bytesOf.get(storageClass) ?? 0) + bytes);
    }
  }
  const classes = [...bytesOf]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([storageClass, bytes]): ClassCost => {
      const price = tier.prices[storageClass];
      return { storageClass, bytes, perMonth: price === undefined ? null : (bytes / GB) * price };
    });
  const priced = Object.keys(tier.prices).length > 0 && classes.every(({ perMonth }) => perMonth !== null);
  return {
    tier: tier.name,
    bytes: classes.reduce((sum, { bytes }) => sum + bytes, 0),
    classes,
    perMonth: priced ? classes.reduce((sum, { perMonth }) => sum + (perMonth ?? 0), 0) : null,
  };
}
