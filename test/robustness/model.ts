import type { Content } from "./content.ts";
import { DATABASES } from "./world.ts";

/** The newest so many are kept, at first. */
export const FIRST_RULE = 4;

/** A copy of a backup on a tier. */
export interface CopyRef {
  readonly tier: string;
  readonly database: string;
  readonly backupId: string;
}

/** What a whole copy looks like in a listing; one that looks otherwise is read again. */
export interface GoodCopy extends CopyRef {
  readonly objects: number;
  readonly bytes: number;
  readonly newestAt: number;
}

/** The driver's own damage; each must be noticed. */
export interface Harm extends CopyRef {
  readonly kind: "deleted" | "flipped";
  /** Whether the site knew of the copy. */
  readonly known: boolean;
  /** The end of the audit log when it was done: what notices it comes later. */
  readonly seq: number;
}

/** What the driver knows of its site because it did it itself, to be compared with what the site says and does. */
export interface Model {
  /** By database and version: what it held then. */
  readonly contents: ReadonlyMap<string, Map<number, string>>;
  /** By backup id: the version that it must hold, as nobody wrote while it was made. */
  readonly madeFrom: Map<string, number>;
  /** Backups that are held by hand. */
  readonly held: Set<string>;
  /** Copies that were found whole, by name. */
  readonly good: Map<string, GoodCopy>;
  /** Copies that the driver damaged and that were not found whole since, by name. */
  readonly harmed: Map<string, Harm>;
  readonly harms: Harm[];
  /** By tier and database: ids of all copies that ever were whole there. */
  readonly everGood: Map<string, Set<string>>;
  /** The rule in the configuration file: the newest so many are kept. */
  last: number;
  /** By tier: the strictest rule that somebody has ordered there by hand; until then a new one deletes nothing. */
  readonly strictest: Map<string, number>;
  /** The place in the audit log up to which the driver has read it. */
  readTo: { seq: number; at: Date };
}

export function createModel(): Model {
  return {
    contents: new Map(DATABASES.map((name) => [name, new Map()])),
    madeFrom: new Map(),
    held: new Set(),
    good: new Map(),
    harmed: new Map(),
    harms: [],
    everGood: new Map(),
    last: FIRST_RULE,
    strictest: new Map(),
    readTo: { seq: 0, at: new Date(0) },
  };
}

export function copyName({ tier, database, backupId }: CopyRef): string {
  return `${tier}/${database}/${backupId}`;
}

export function remember(model: Model, database: string, { version, digest }: Content): void {
  model.contents.get(database)?.set(version, digest);
}

export function versionOf(model: Model, database: string): number {
  return Math.max(...(model.contents.get(database)?.keys() ?? [0]));
}

export function foundWhole(model: Model, copy: GoodCopy): void {
  model.good.set(copyName(copy), copy);
  model.harmed.delete(copyName(copy));
  const place = `${copy.tier}/${copy.database}`;
  model.everGood.set(place, (model.everGood.get(place) ?? new Set()).add(copy.backupId));
}

/** Null where retention may have taken a copy, else why not. */
export function whyItStays(model: Model, copy: CopyRef): string | null {
  if (model.held.has(copy.backupId)) return "it is held by hand";
  const ids = [...(model.everGood.get(`${copy.tier}/${copy.database}`) ?? [])];
  const newer = ids.filter((id) => id > copy.backupId).length;
  const kept = keptOn(model, copy.tier);
  return newer >= kept ? null : `only ${newer} newer ones were there, and the newest ${kept} stay`;
}

/** So many of the newest copies of each database no retention takes from a tier. */
export function keptOn(model: Model, tier: string): number {
  return model.strictest.get(tier) ?? FIRST_RULE;
}

export function orderedByHand(model: Model, tier: string): void {
  model.strictest.set(tier, Math.min(keptOn(model, tier), model.last));
}

/** Copies that are whole now, by backup, the oldest first. */
export function goodBackups(model: Model): Map<string, GoodCopy[]> {
  return Map.groupBy(
    [...model.good.values()].toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1)),
    (c) => c.backupId,
  );
}
