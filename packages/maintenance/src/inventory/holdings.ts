import { COPY_STATES, type CopyState, countOfStates } from "@trivault/core";
import type { Inventory, InventoryCopy } from "./inventory.ts";

/** A copy, reduced to what plans and health look at: there are very many. */
export type HeldCopy = Pick<InventoryCopy, "database" | "backupId" | "state" | "bytes" | "classes"> & {
  readonly seenAt?: Date | string | undefined;
  readonly problem?: string | null;
};

/**
 * An inventory by database, oldest backup first. While a database has the same copies its array stays the very same one, from
 * one inventory to the next: whoever remembers something of it knows by that whether it still holds.
 */
export interface Holdings {
  readonly tier: string;
  readonly scannedAt: Date;
  readonly capacity: Inventory["capacity"];
  readonly copies: ReadonlyMap<string, readonly HeldCopy[]>;
}

export interface CopiesSummary {
  readonly states: Readonly<Record<CopyState, number>>;
  /** Why one of those that are unknown could not be read. */
  readonly problem: string | null;
  readonly bytes: number;
  /** The bytes of those that are complete. */
  readonly goodBytes: number;
  /** Bytes by storage class; what a tier reports no class for is in `STANDARD`. */
  readonly classes: Readonly<Record<string, number>>;
}

/** What it is made of: an inventory, or as much of one as is needed. */
export type HeldInventory = Omit<Inventory, "copies"> & { readonly copies: readonly HeldCopy[] };

export function holdingsOf(
  { tier, scannedAt, capacity, copies }: HeldInventory,
  before: Holdings | null = null,
): Holdings {
  const found = [...Map.groupBy(copies, ({ database }) => database)].map(
    ([name, those]) => [name, sameOr(before?.copies.get(name), those)] as const,
  );
  return { tier, scannedAt, capacity, copies: new Map(found) };
}

const STATES: ReadonlySet<unknown> = new Set<CopyState>(COPY_STATES);

/** Checks by hand what a schema would take seconds for, of hundreds of thousands. */
export function isHeldCopy(value: unknown): value is HeldCopy {
  if (typeof value !== "object" || value === null) return false;
  const {
    database,
    backupId,
    state,
    problem = null,
    bytes,
    classes,
    seenAt,
  } = value as Partial<Record<keyof HeldCopy, unknown>>;
  return (
    typeof database === "string" &&
    typeof backupId === "string" &&
    STATES.has(state) &&
    (problem === null || typeof problem === "string") &&
    isSize(bytes) &&
    (seenAt === undefined || typeof seenAt === "string") &&
    typeof classes === "object" &&
    classes !== null &&
    Object.values(classes).every(isSize)
  );
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The copies in their order; the very array of before where nothing has changed. */
export function sameOr(before: readonly HeldCopy[] | undefined, now: readonly HeldCopy[]): readonly HeldCopy[] {
  const sorted = now.toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1));
  if (before?.length === sorted.length && before.every((copy, index) => isSame(copy, sorted[index]))) return before;
  const [first] = sorted;
  return first === undefined ? [] : sorted.map((copy) => slim(copy, first.database));
}

const known = new WeakMap<readonly HeldCopy[], CopiesSummary>();

/** Reckoned once for each array. */
export function summaryOf(copies: readonly HeldCopy[]): CopiesSummary {
  const before = known.get(copies);
  if (before) return before;
  const states = countOfStates(copies.map(({ state }) => state));
  const classes: Record<string, number> = {};
  let bytes = 0;
  let goodBytes = 0;
  let problem: string | null = null;
  for (const copy of copies) {
    problem ??= copy.problem ?? null;
    bytes += copy.bytes;
    if (copy.state === "complete") goodBytes += copy.bytes;
    const names = Object.keys(copy.classes);
    for (const name of names) classes[name] = (classes[name] ?? 0) + (copy.classes[name] ?? 0);
    if (names.length === 0) classes["STANDARD"] = (classes["STANDARD"] ?? 0) + copy.bytes;
  }
  const summary = { states, problem, bytes, goodBytes, classes };
  known.set(copies, summary);
  return summary;
}

/** All databases on a tier, as one copy: what budgets, costs and disk usage go by. */
export function totalOf({ copies }: Pick<Holdings, "copies">): CopiesSummary {
  const states = countOfStates();
  const classes: Record<string, number> = {};
  let bytes = 0;
  let goodBytes = 0;
  let problem: string | null = null;
  for (const those of copies.values()) {
    const one = summaryOf(those);
    for (const state of COPY_STATES) states[state] += one.states[state];
    problem ??= one.problem;
    for (const [name, size] of Object.entries(one.classes)) classes[name] = (classes[name] ?? 0) + size;
    bytes += one.bytes;
    goodBytes += one.goodBytes;
  }
  return { states, problem, bytes, goodBytes, classes };
}

const NO_CLASSES: HeldCopy["classes"] = {};

/** Read from a file, each has its own text of the one name. */
function slim({ backupId, state, problem, bytes, classes, seenAt }: HeldCopy, database: string): HeldCopy {
  const slimmer = {
    database,
    backupId,
    state,
    problem: problem ?? null,
    bytes,
    classes: Object.keys(classes).length === 0 ? NO_CLASSES : classes,
  };
  return seenAt === undefined ? slimmer : { ...slimmer, seenAt };
}

function isSame(a: HeldCopy, b: HeldCopy | undefined): boolean {
  if (a.backupId !== b?.backupId || a.state !== b.state || a.bytes !== b.bytes) return false;
  if ((a.problem ?? null) !== (b.problem ?? null) || timeOf(a.seenAt) !== timeOf(b.seenAt)) return false;
  const classes = Object.entries(a.classes);
  return (
    classes.length === Object.keys(b.classes).length && classes.every(([name, bytes]) => b.classes[name] === bytes)
  );
}

function timeOf(seenAt: HeldCopy["seenAt"]): number | null {
  return seenAt === undefined ? null : new Date(seenAt).getTime();
}
