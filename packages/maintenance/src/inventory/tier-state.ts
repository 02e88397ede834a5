import path from "node:path";
import { tierFolder } from "@trivault/backup/look";
import { type Config, DAY_MS, ensureFolder, publishJson, readJson, unlessUnwritable } from "@trivault/core";
import { z } from "zod";

const time = z.iso
  .datetime()
  .transform((text) => new Date(text))
  .nullable()
  .default(null);
const stateSchema = z.object({
  /** When maintenance last looked, whether or not there was anything to see. */
  seenAt: time,
  /** Since when it cannot be looked at; null: it could, the last time. */
  unreachableSince: time,
  reason: z.string().nullable().default(null),
  overBudget: z.boolean().default(false),
  temporariesSweptAt: time,
  /** JSON of the rules that were applied last; null: none ever were. */
  lifecycle: z.string().nullable().default(null),
  lifecycleAppliedAt: time,
  /** SHA-256 of a RECOVERY.md that is not ours and could not be replaced; null: there is none. */
  foreignNote: z.string().nullable().default(null),
});

/** What maintenance remembers of a tier from one time to the next, in `<tier folder>/state.json` (tier-notes.ts). */
export type TierState = z.infer<typeof stateSchema>;

type Place = Pick<Config, "backupDir">;

/** A file that is missing or broken, or could not be written, is one that remembers nothing: then an event is recorded twice. */
export async function readTierState(config: Place, tier: string): Promise<TierState> {
  const state = await readJson(stateFile(config, tier), stateSchema).catch(() => null);
  return state ?? stateSchema.parse({});
}

export async function writeTierState(config: Place, tier: string, state: TierState): Promise<void> {
  await unlessUnwritable(async () => {
    await ensureFolder(tierFolder(config, tier));
    await publishJson(stateFile(config, tier), state);
  });
}

/** Once a day; and after a clock was put back, so that it is not put off for years. */
export function isDue(last: Date | null, now: Date): boolean {
  return last === null || Math.abs(now.getTime() - last.getTime()) >= DAY_MS;
}

function stateFile(config: Place, tier: string): string {
  return path.join(tierFolder(config, tier), "state.json");
}
