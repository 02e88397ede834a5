import path from "node:path";
import { tierFolder } from "@trivault/backup/look";
import { type Config, ensureFolder, publishJson, readJson, unlessUnwritable } from "@trivault/core";
import { z } from "zod";

const count = z.int().nonnegative();
const policySchema = z.object({
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  withinSeconds: z.number().nullable(),
  atLeast: count,
});
/** What is kept of a database: by whose calendar, and on each of its tiers; null keeps everything there. */
const rulesSchema = z.object({ timeZone: z.string(), tiers: z.record(z.string(), policySchema.nullable()) });
export type Rules = Readonly<z.infer<typeof rulesSchema>>;

const databaseSchema = z.object({
  newest: z.string(),
  /** Why deletions were held back at the last run, as the audit log has it: too many at once, or rules that changed. */
  held: z.enum(["mass", "rules"]).nullable().catch(null),
  /** Those that deletions were last accepted under; missing: not known. */
  accepted: rulesSchema.optional().catch(undefined),
  /** Those that are to follow, and when they were first seen. */
  changed: z
    .object({ to: rulesSchema, since: z.iso.datetime().transform((text) => new Date(text)) })
    .optional()
    .catch(undefined),
});
export type SeenDatabase = Readonly<z.infer<typeof databaseSchema>>;

const seenSchema = z.object({
  databases: z.record(z.string(), databaseSchema).default({}),
  /** The tier refuses deletions; the audit log has it. */
  refused: z.boolean().default(false),
});

/**
 * What retention remembers of a tier from one run to the next, in `<tier folder>/retention.json` (tier-notes.ts). Only who
 * carries a plan out writes it; who looks at a plan changes nothing.
 */
export type Seen = Readonly<z.infer<typeof seenSchema>>;

type Place = Pick<Config, "backupDir">;

/** Where it cannot be read, as if it were not there: then nothing that came since is known of, and more is held back. */
export async function readSeen(config: Place, tier: string): Promise<Seen> {
  const seen = await readJson(fileOf(config, tier), seenSchema).catch(() => null);
  return seen ?? { databases: {}, refused: false };
}

/** A disk that takes nothing is no reason to fail: what is not remembered holds back more. */
export async function writeSeen(config: Place, tier: string, seen: Seen): Promise<void> {
  await unlessUnwritable(async () => {
    await ensureFolder(tierFolder(config, tier));
    await publishJson(fileOf(config, tier), seen);
  });
}

function fileOf(config: Place, tier: string): string {
  return path.join(tierFolder(config, tier), "retention.json");
}
