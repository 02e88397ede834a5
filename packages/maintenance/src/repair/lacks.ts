import type { Config } from "@trivault/core";
import type { Inventory } from "../inventory/inventory.ts";
import type { SiteLook } from "../plan/look-at-site.ts";
import { reconcile } from "./reconcile.ts";

/** A copy that a tier lacks, or that somebody wants there. */
export interface WantedCopy {
  readonly database: string;
  readonly backupId: string;
  readonly from: string;
  readonly to: string;
  /** The size of the copy it is made from. */
  readonly bytes: number;
}

/** What a tier lacks of what it shall hold. */
export interface Lack {
  readonly tier: string;
  /** Null: the tier could not be looked at. */
  readonly complete: number | null;
  readonly copies: readonly WantedCopy[];
  /** Wanted there, and whole nowhere. */
  readonly sourceless: readonly { readonly database: string; readonly backupId: string }[];
}

export function lacksOf(
  site: { readonly config: Pick<Config, "tiers"> },
  { plan, inventories }: Pick<SiteLook, "plan" | "inventories">,
  tier: string,
  database?: string,
): Lack {
  const inventory = inventories.find((candidate) => candidate.tier === tier);
  const ours = (each: { database: string }) => database === undefined || each.database === database;
  const wanted = [...plan.plans.values()].flatMap(({ decisions }) =>
    decisions.filter((each) => each.tier === tier && each.action === "copy" && ours(each)),
  );
  const copies = reconcile(site, plan, inventories, tier).filter(ours);
  const sourceless = wanted
    .filter(({ backupId }) => !copies.some((copy) => copy.backupId === backupId))
    .map((each) => ({ database: each.database, backupId: each.backupId }));
  const complete = inventory?.copies.filter((copy) => copy.state === "complete" && ours(copy)).length ?? null;
  const withBytes = copies.map(({ stage: _stage, ...copy }) => ({ ...copy, bytes: bytesOn(inventories, copy) }));
  return { tier, complete, copies: withBytes, sourceless };
}

/**
 * The copy of one backup that a tier is to get: from the first tier (the local one, where it can be) that has a complete one.
 * `there`: it has it. `nowhere`: no tier that could be asked has.
 */
export function wantedCopy(
  { inventories }: Pick<SiteLook, "inventories">,
  { database, backupId }: { readonly database: string; readonly backupId: string },
  to: string,
): WantedCopy | "there" | "nowhere" {
  const copies = inventories.flatMap(({ tier, copies: all }) =>
    all
      .filter((copy) => copy.database === database && copy.backupId === backupId && copy.state === "complete")
      .map(({ bytes }) => ({ tier, bytes })),
  );
  if (copies.some(({ tier }) => tier === to)) return "there";
  const [source] = copies;
  return source === undefined ? "nowhere" : { database, backupId, from: source.tier, to, bytes: source.bytes };
}

function bytesOn(
  inventories: readonly Inventory[],
  { from, database, backupId }: Omit<WantedCopy, "bytes" | "to">,
): number {
  const copies = inventories.find(({ tier }) => tier === from)?.copies ?? [];
  return copies.find((copy) => copy.backupId === backupId && copy.database === database)?.bytes ?? 0;
}
