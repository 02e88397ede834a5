import { backupKey, codeOf, type Key, MANIFEST, messageOf, type Segment } from "@trivault/core";
import { type Source, storeSource, type Tier } from "@trivault/storage";
import type { BackupRef, Site, StageContext } from "./site.ts";
import { noteDamage } from "./tier-notes.ts";

interface Wanted {
  readonly from: Tier;
  readonly to: Tier;
  readonly ref: BackupRef;
  readonly segment: Segment;
  /** Wrong bytes lie there: they give way to the right ones. */
  readonly over: boolean;
}

/**
 * Puts one segment, from `from` or, where that has lost it, cannot read it or has other bytes, from any other tier that
 * has it: the hash in the signed manifest is proof enough. Throws what `from` failed with where none has it, and what `to`
 * failed with at once.
 */
export async function putSegment(
  site: Site,
  { from, to, ref, segment, over }: Wanted,
  context: StageContext,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const key = backupKey(ref.database, ref.backupId, segment.name);
  const others = site.tiers.filter(({ name }) => name !== from.name && name !== to.name);
  const { signal } = context;
  let first: unknown;
  for (const tier of [from, ...others]) {
    const source = watched(storeSource(tier.store, key, segment));
    try {
      if (over) await to.store.replace(key, source, { signal, onBytes });
      else await to.store.put(key, source, { signal, onBytes });
      if (tier !== from) context.note(`${segment.name} was taken from ${tier.name}`);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const damage = await damageOf(tier, key, segment, source.failure() ?? error, signal);
      if (damage === null && source.failure() === undefined) throw error;
      first ??= error;
      context.note(`${tier.name} has no good ${segment.name} of ${ref.backupId}: ${messageOf(error)}`);
      if (damage !== null && damage !== UNKNOWN) await recordDamage(site, tier, ref, damage, context);
    }
  }
  throw first;
}

/** A source that remembers whether it was what failed; a reader that merely stopped reading is no failure of its. */
function watched(source: Source): Source & { failure(): unknown } {
  let failure: unknown;
  return {
    ...source,
    failure: () => failure,
    async *open(signal) {
      try {
        yield* source.open(signal);
      } catch (error) {
        if (codeOf(error) !== "CANCELLED") failure = error;
        throw error;
      }
    },
  };
}

const UNKNOWN = Symbol("unknown");

/** What is wrong with the segment on a tier, if that is why the copy failed; null where it is not. */
async function damageOf(
  tier: Tier,
  key: Key,
  segment: Segment,
  error: unknown,
  signal: AbortSignal,
): Promise<string | null | typeof UNKNOWN> {
  if (codeOf(error) === "NOT_FOUND") return `${segment.name} is missing`;
  if (codeOf(error) !== "CORRUPT") return null;
  try {
    if (await tier.store.holds(key, segment, { signal })) return null;
    return `${segment.name} does not hold the bytes that the manifest lists`;
  } catch {
    signal.throwIfAborted();
    return UNKNOWN;
  }
}

/** So that maintenance makes the copy there anew. A backup in the making, without a manifest, is no copy yet. */
async function recordDamage(
  site: Site,
  tier: Tier,
  ref: BackupRef,
  damage: string,
  { signal, note }: StageContext,
): Promise<void> {
  const manifest = backupKey(ref.database, ref.backupId, MANIFEST);
  try {
    if ((await tier.store.stat(manifest, { signal })) !== null) await noteDamage(site.config, tier.name, ref, damage);
  } catch (error) {
    signal.throwIfAborted();
    note(`what is wrong with ${ref.backupId} on ${tier.name} could not be noted: ${messageOf(error)}`);
  }
}
