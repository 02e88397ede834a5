import { type Copy, listCopies, loadTrust, type Trust, verifyCopy } from "@trivault/backup";
import type { Tier } from "@trivault/storage";
import { oneOf, type Random } from "../support/random.ts";
import { copyName, type CopyRef, foundWhole, type GoodCopy, type Model, whyItStays } from "./model.ts";
import { STRANGE_ID } from "./objects.ts";
import type { World } from "./world.ts";

/** A backup that somebody called done: it must be whole on these tiers. */
export interface Claim extends CopyRef {
  readonly by: string;
}

/**
 * Looks at every tier by a way that does not fail: whatever has a manifest is whole, byte by byte; whatever was whole is still
 * there, unless the rules or the driver took it; whatever was called done is there. New and changed copies are read, and one
 * more of each tier; `readAll` reads every one.
 */
export async function checkTiers(
  world: World,
  model: Model,
  { random, readAll = false, claims = [] }: { random: Random; readAll?: boolean; claims?: readonly Claim[] },
): Promise<string[]> {
  const trust = await loadTrust(world.config);
  const problems = await Promise.all(
    world.tiers.map(async (tier) => {
      const all = await listCopies(tier);
      const listed = all.filter(({ complete, backupId }) => complete && backupId !== STRANGE_ID);
      const again = oneOf(random, listed);
      const bad: string[] = [];
      for (const copy of listed) {
        const good = goodCopyOf(tier, copy);
        const known = model.good.get(copyName(good));
        const unchanged =
          known?.objects === good.objects && known.bytes === good.bytes && known.newestAt === good.newestAt;
        if (unchanged && !readAll && copy !== again && !model.harmed.has(copyName(good))) continue;
        const problem = await readWhole(tier, good, trust, model);
        if (problem !== null) bad.push(problem);
      }
      const present = new Set(listed.map((copy) => copyName(goodCopyOf(tier, copy))));
      return { tier, present, bad };
    }),
  );
  const lost = problems.flatMap(({ tier, present }) => lostOn(tier, present, model));
  const missing = claims.filter((claim) => !model.good.has(copyName(claim)));
  return [
    ...problems.flatMap(({ bad }) => bad),
    ...lost,
    ...missing.flatMap((claim) => explain(model, claim, `was called done by ${claim.by}, and is not there`)),
  ];
}

function goodCopyOf(tier: Tier, { database, backupId, objects, bytes, newestAt }: Copy): GoodCopy {
  return { tier: tier.name, database, backupId, objects, bytes, newestAt: newestAt.getTime() };
}

/** Null where it is whole, or damaged by the driver, or gone meanwhile. */
async function readWhole(tier: Tier, copy: GoodCopy, trust: Trust, model: Model): Promise<string | null> {
  // Read again where it is not whole: it may have been deleted and brought anew between manifest and segments.
  for (let tries = 1; ; tries++) {
    const verdict = await verifyCopy(tier, copy, trust, { signal: AbortSignal.timeout(120_000), allowUnsigned: false });
    if (verdict.good) {
      foundWhole(model, copy);
      return null;
    }
    if (model.harmed.has(copyName(copy))) return null;
    const [now] = await listCopies(tier, copy);
    if (now?.complete !== true) return null;
    if (tries < 3) continue;
    model.good.delete(copyName(copy));
    return `${copyName(copy)} has a manifest and is not whole: ${JSON.stringify(verdict.damage)}`;
  }
}

function lostOn(tier: Tier, present: ReadonlySet<string>, model: Model): string[] {
  const gone = [...model.good.values()].filter((copy) => copy.tier === tier.name && !present.has(copyName(copy)));
  return gone.flatMap((copy) => {
    model.good.delete(copyName(copy));
    return model.harmed.has(copyName(copy)) ? [] : explain(model, copy, "was whole, and is gone");
  });
}

function explain(model: Model, copy: CopyRef, what: string): string[] {
  const why = whyItStays(model, copy);
  return why === null ? [] : [`${copyName(copy)} ${what}: ${why}`];
}
