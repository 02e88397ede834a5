import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Config, COPY_STATES, type CopyState, directoryOf, ensureFolder, publishText } from "@trivault/core";
import { z } from "zod";
import type { HeldCopy } from "./holdings.ts";

/**
 * Beside the cached inventory of a tier with very many copies, what plans and health look at of each, without names and repetitions:
 * an eighth of the text, and of the time to read it. `BACKUP_DIR/.trivault/inventory/short/<tier>.json`: a head, then a line of JSON
 * for each database. The head names the inventory that it was written with (by its `id`) and the digest of what follows; whoever
 * finds another inventory, or other bytes, reads the inventory itself.
 */
const FORMAT = "trivault-short-inventory 1";
/** An inventory of fewer copies is read in no time. */
const FEWEST = 1000;

/** By hand, as a schema takes long for hundreds of thousands. */
function isListOfSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

/** What copies have in common. */
const kindSchema = z.object({
  state: z.enum(COPY_STATES),
  problem: z.string().nullable(),
  /** All its bytes are of this storage class; null: the tier reports none. */
  storageClass: z.string().nullable(),
});
type Kind = z.infer<typeof kindSchema>;
const copySchema = z.object({
  backupId: z.string(),
  state: z.enum(COPY_STATES),
  problem: z.string().nullable(),
  bytes: z.int().nonnegative(),
  classes: z.record(z.string(), z.int().nonnegative()),
  seenAt: z.string().optional(),
});
const lineSchema = z.object({
  database: z.string(),
  kind: kindSchema,
  /** Those of the kind that most are of: ids with a space between them, and their bytes. */
  ids: z.string(),
  bytes: z.custom<number[]>(isListOfSizes),
  others: z.array(copySchema),
});
type Line = z.infer<typeof lineSchema>;

/** Writes it where it is worth while. It is not needed: what goes wrong is left at that. */
export async function writeShortForm(
  config: Pick<Config, "backupDir">,
  tier: string,
  { id, copies }: { readonly id: string; readonly copies: readonly HeldCopy[] },
): Promise<void> {
  if (copies.length < FEWEST) return;
  const file = shortFile(config, tier);
  const lines = [...Map.groupBy(copies, ({ database }) => database)].map(([name, those]) => lineOf(name, those));
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  try {
    await ensureFolder(path.dirname(file));
    await publishText(file, `${headOf(id, Buffer.from(body))}\n${body}`);
  } catch {
    // The inventory is read instead.
  }
}

/** The copies of the inventory of this id, or null. */
export async function readShortForm(
  config: Pick<Config, "backupDir">,
  tier: string,
  id: string,
): Promise<HeldCopy[] | null> {
  try {
    const bytes = await readFile(shortFile(config, tier));
    const end = bytes.indexOf("\n");
    const body = bytes.subarray(end + 1);
    if (end === -1 || bytes.toString("utf8", 0, end) !== headOf(id, body)) return null;
    const lines = body.toString("utf8").split("\n");
    return lines.flatMap((line) => copiesIn(lineSchema.parse(JSON.parse(line))));
  } catch {
    return null; // there is none, or it is not one of this version
  }
}

function headOf(id: string, body: Buffer): string {
  return JSON.stringify({ format: FORMAT, id, sha256: createHash("sha256").update(body).digest("hex") });
}

function lineOf(database: string, copies: readonly HeldCopy[]): Line {
  const kinds = Map.groupBy(copies, (copy) => JSON.stringify(kindOf(copy)));
  kinds.delete("null");
  const [text, most] = [...kinds].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? [null, []];
  const kind: Kind = text === null ? { state: "complete", problem: null, storageClass: null } : JSON.parse(text);
  const plain = new Set(most);
  return {
    database,
    kind,
    ids: most.map(({ backupId }) => backupId).join(" "),
    bytes: most.map(({ bytes }) => bytes),
    others: copies.filter((copy) => !plain.has(copy)).map(otherOf),
  };
}

/** Null for a copy that is like no other. */
function kindOf({ backupId, state, problem = null, bytes, classes, seenAt }: HeldCopy): Kind | null {
  const [first, ...more] = Object.entries(classes);
  if (seenAt !== undefined || backupId.includes(" ") || backupId === "" || more.length > 0) return null;
  if (first !== undefined && first[1] !== bytes) return null;
  return { state, problem, storageClass: first?.[0] ?? null };
}

function otherOf({ backupId, state, problem = null, bytes, classes, seenAt }: HeldCopy): Line["others"][number] {
  const copy = { backupId, state, problem, bytes, classes };
  return seenAt === undefined ? copy : { ...copy, seenAt: new Date(seenAt).toISOString() };
}

const NO_CLASSES: HeldCopy["classes"] = {};

function copiesIn({ database, kind, ids, bytes, others }: Line): HeldCopy[] {
  const { state, problem, storageClass } = kind;
  const names = ids === "" ? [] : ids.split(" ");
  if (names.length !== bytes.length) throw new RangeError("ids and sizes do not match");
  const plain = names.map((backupId, index): HeldCopy => {
    const size = bytes[index] ?? 0;
    const classes = storageClass === null ? NO_CLASSES : { [storageClass]: size };
    return { database, backupId, state: state satisfies CopyState, problem, bytes: size, classes };
  });
  return [...plain, ...others.map((copy) => ({ ...copy, database }))];
}

function shortFile({ backupDir }: Pick<Config, "backupDir">, tier: string): string {
  return path.join(backupDir, ".trivault/inventory/short", `${directoryOf(tier)}.json`);
}
