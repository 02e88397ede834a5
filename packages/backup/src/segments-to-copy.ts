import { isPermanent, messageOf, type Segment, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { readManifest, type StoredManifest } from "./copies.ts";
import { databaseOfRun, runDirectory } from "./run-directory.ts";
import { followSegments } from "./segment-feed.ts";
import type { BackupRef, Site, StageContext } from "./site.ts";
import { siteTrust } from "./trust.ts";

/** A follower outlives this many take-overs of the stages before it. */
const PATIENCE = 4;

/**
 * The segments of a backup for a tier that lacks it: those of the manifest on `from`; or of a backup in the making on the
 * local tier, as they appear; or, where `from` has lost it, those of the manifest on any other tier. Only a manifest that
 * is signed by a trusted key is copied, so that nobody who can write to one tier gets anything into another.
 */
export async function* segmentsToCopy(
  site: Site,
  from: Tier,
  to: Tier,
  ref: BackupRef,
  context: StageContext,
): AsyncGenerator<Segment, StoredManifest> {
  const { trustedKeys } = await siteTrust(site);
  const others = site.tiers.filter(({ name }) => name !== from.name && name !== to.name);
  const run = runDirectory(site.config, ref.backupId);
  const isLocal = from.name === site.tiers[0].name;
  const problems: unknown[] = [];
  // `from` is asked twice: between the looks a backup in the making may have become complete.
  for (const tier of [from, "in the making", from, ...others] as const) {
    if (tier === "in the making") {
      if (!isLocal || problems.length > 0 || (await databaseOfRun(run)) === null) continue;
      const patienceMs = PATIENCE * site.config.worker.takeoverSeconds * 1000;
      return yield* followSegments(from, run, ref, { patienceMs, signal: context.signal });
    }
    try {
      const found = await readManifest(tier, ref, { signal: context.signal, trustedKeys });
      if (found === null) continue;
      if (tier !== from) context.note(`${from.name} has no good manifest of it; ${tier.name} has`);
      yield* found.signed.manifest.segments;
      return found;
    } catch (error) {
      context.signal.throwIfAborted();
      problems.push(error);
    }
  }
  throw nowhere(ref, problems, isLocal);
}

/** A backup that a tier in trouble may still have is worth another try; one that nobody has was given up. */
function nowhere({ backupId }: BackupRef, problems: readonly unknown[], fromLocal: boolean): TrivaultError {
  const reasons = [...new Set(problems.map(messageOf))].join(" ");
  const message = `No tier has a complete copy of backup ${backupId} to copy from, and it is not in the making. ${reasons}`;
  const code = problems.length === 0 && fromLocal ? "ABANDONED" : "NOT_FOUND";
  return new TrivaultError(code, message.trimEnd(), { permanent: problems.every(isPermanent), cause: problems[0] });
}
