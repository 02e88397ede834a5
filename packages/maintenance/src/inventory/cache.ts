import { createHash, randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import path from "node:path";
import { type NoteKind, readNotes, type TierNote } from "@trivault/backup/look";
import {
  codeOf,
  type Config,
  COPY_STATES,
  directoryOf,
  ensureFolder,
  placeIdOf,
  publishText,
  readOrNull,
  type TierConfig,
} from "@trivault/core";
import { z } from "zod";
import { type HeldCopy, type HeldInventory, isHeldCopy } from "./holdings.ts";
import { parseHead, parseList, readFirstLine, writeList } from "./json-list.ts";
import type { Inventory, InventoryCopy } from "./inventory.ts";
import { readShortForm, writeShortForm } from "./short-form.ts";

const bytes = z.int().nonnegative();
const time = z.iso.datetime().transform((text) => new Date(text));
const copySchema = z.object({
  database: z.string(),
  backupId: z.string(),
  state: z.enum(COPY_STATES),
  problem: z.string().nullable().default(null),
  lastState: z.enum(COPY_STATES).nullable().default(null),
  stamps: z.string().default(""),
  bytes,
  objects: bytes,
  newestAt: time,
  seenAt: time.optional(),
  classes: z.record(z.string(), bytes),
  manifest: z.object({ size: bytes, modifiedAt: time }).nullable(),
  expected: z.object({ objects: bytes, bytes }).nullable(),
});
const headSchema = z.object({
  version: z.literal(1),
  /** Another one for each that was written: by it its short form is known. */
  id: z.string().default(""),
  /** A digest of the keys that were trusted: with other keys, other manifests are good. */
  trust: z.string(),
  tier: z.string(),
  /** Where the tier was: another server of the same name holds other things. */
  place: z.string(),
  scannedAt: time,
  capacity: z.object({ free: bytes, total: bytes }).nullable(),
});
const copiesSchema = z.array(copySchema);
const heldSchema = z.array(z.custom<HeldCopy>(isHeldCopy));

export interface CachedInventory {
  readonly inventory: Inventory;
  readonly trust: string;
}

type Place = Pick<Config, "backupDir" | "tiers">;

/** As it was written by the last scan; null where there is none, or one that cannot be used: it is then made anew. */
export async function readCache(config: Place, tier: string): Promise<CachedInventory | null> {
  const cache = await readFile(config, tier, (copies) => copiesSchema.parse(copies));
  if (cache === null) return null;
  const { trust, scannedAt, capacity, copies } = cache;
  return { trust, inventory: { tier, scannedAt, capacity, copies } };
}

/** As `readCache`, with no more of each copy than plans and health look at: a quarter of the time, or much less by its short form. */
export async function readHeld(config: Place, tier: string): Promise<HeldInventory | null> {
  const cache = (await readShort(config, tier)) ?? (await readFile(config, tier, (copies) => heldSchema.parse(copies)));
  if (cache === null) return null;
  const { scannedAt, capacity, copies } = cache;
  return { tier, scannedAt, capacity, copies };
}

async function readFile<T>(
  config: Place,
  tier: string,
  check: (copies: readonly unknown[]) => readonly T[],
): Promise<(z.infer<typeof headSchema> & { readonly copies: readonly T[] }) | null> {
  try {
    const text = await readOrNull(cacheFile(config, tier));
    if (text === null) return null;
    const { head, items } = await parseList(text, "copies", check);
    const cache = { ...headSchema.parse(head), copies: items };
    return isOf(config, tier, cache) ? cache : null;
  } catch {
    return null;
  }
}

async function readShort(config: Place, tier: string) {
  try {
    const first = await readFirstLine(cacheFile(config, tier));
    const head = headSchema.parse(parseHead(first, "copies"));
    if (head.id === "" || !isOf(config, tier, head)) return null;
    const copies = await readShortForm(config, tier, head.id);
    return copies && { ...head, copies };
  } catch {
    return null;
  }
}

function isOf(config: Place, tier: string, head: Pick<z.infer<typeof headSchema>, "tier" | "place">): boolean {
  const { now, before } = placesOf(config, tier);
  return head.tier === tier && (head.place === now || head.place === before);
}

export async function writeCache(config: Place, { inventory, trust }: CachedInventory): Promise<void> {
  const file = cacheFile(config, inventory.tier);
  await ensureFolder(path.dirname(file));
  const { copies, ...rest } = inventory;
  const id = randomUUID();
  const head = { version: 1, id, trust, place: placesOf(config, inventory.tier).now, ...rest };
  await publishText(file, await writeList(head, "copies", copies));
  await writeShortForm(config, inventory.tier, { id, copies });
}

/** The inventories that are cached, each brought up to date with what this site did to the tier since. */
export async function readInventories(config: Place): Promise<Inventory[]> {
  const found = await Promise.all(config.tiers.map(({ name }) => readInventory(config, name)));
  return found.filter((inventory) => inventory !== null);
}

export async function readInventory(config: Place, tier: string): Promise<Inventory | null> {
  // Before the cache: a scan takes notes away once they are in the cache.
  const notes = await readAllNotes(config, tier);
  const cached = await readCache(config, tier);
  if (cached === null) return null;
  const copies = new Map(cached.inventory.copies.map((copy) => [nameOf(copy), copy]));
  applyNotes(copies, notes, { scannedAt: cached.inventory.scannedAt, nameOf });
  return { ...cached.inventory, copies: [...copies.values()] };
}

/** What this site did to a tier since it was scanned, and found there. */
export type Notes = Readonly<Record<NoteKind, readonly TierNote[]>>;

export const NOTE_KINDS = ["arrived", "deleted", "damaged", "doubtful"] as const satisfies NoteKind[];

export async function readAllNotes(config: Place, tier: string): Promise<Notes> {
  const read = async (kind: NoteKind) => [kind, await readNotes(config, tier, kind)] as const;
  return Object.fromEntries(await Promise.all(NOTE_KINDS.map(read))) as Record<NoteKind, TierNote[]>;
}

export function applyNotes(
  copies: Map<string, Pick<HeldCopy, "state" | "problem">>,
  { arrived, deleted, damaged, doubtful }: Notes,
  { scannedAt, nameOf: name }: { readonly scannedAt: Date; readonly nameOf: (note: TierNote) => string },
): void {
  for (const note of arrived) copies.set(name(note), arrivedCopy(note, scannedAt));
  for (const note of deleted) copies.delete(name(note));
  for (const note of damaged) {
    const copy = copies.get(name(note));
    if (copy?.state === "complete") copies.set(name(note), { ...copy, state: "damaged" });
  }
  for (const note of doubtful) {
    const copy = copies.get(name(note));
    if (copy) copies.set(name(note), inDoubt(copy, note));
  }
}

/** A copy with segments that could not be read when they were to be verified: what it is worth is not known. */
export function inDoubt<T extends Pick<HeldCopy, "state" | "problem">>(
  copy: T,
  doubt: Pick<TierNote, "problem"> | undefined,
): T {
  if (copy.state !== "complete" || !doubt || doubt.problem === null) return copy;
  return { ...copy, state: "unknown", problem: doubt.problem, lastState: "complete" };
}

/** Identifies a set of trusted keys. */
export function trustOf(trustedKeys: readonly string[]): string {
  return createHash("sha256").update(trustedKeys.toSorted().join("\n")).digest("hex");
}

/** One name for a copy on its tier. */
export function nameOf({ database, backupId }: { database: string; backupId: string }): string {
  return `${database}/${backupId}`;
}

function placesOf({ tiers }: Place, name: string): { readonly now: string; readonly before: string } {
  const tier = tiers.find((candidate) => candidate.name === name);
  const now = tier === undefined ? "null" : placeIdOf(tier);
  return { now, before: tier?.kind === "s3" ? JSON.stringify(withRegion(tier)) : now };
}

/** As a version before wrote it; read on, so that an upgrade overlooks no loss. */
function withRegion({ endpoint, region, bucket, prefix }: Extract<TierConfig, { kind: "s3" }>) {
  return [endpoint, region, bucket, prefix];
}

function arrivedCopy({ database, backupId, bytes: size, objects }: TierNote, newestAt: Date): InventoryCopy {
  const rest = { classes: {}, manifest: null, expected: null, problem: null, lastState: null, stamps: "" };
  return { database, backupId, state: "complete", bytes: size, objects, newestAt, ...rest };
}

/** Identifies the file as it is: another file has another identity; empty where there is none. */
export async function cacheIdentity(config: Pick<Config, "backupDir">, tier: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(cacheFile(config, tier));
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

/** Where the inventory of a tier is cached. */
export function cacheFile({ backupDir }: Pick<Config, "backupDir">, tier: string): string {
  return path.join(backupDir, ".trivault/inventory", `${directoryOf(tier)}.json`);
}
