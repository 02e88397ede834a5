import { type Manifest, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import type { BackupRef } from "./site.ts";
import { sizesOn } from "./whole-copy.ts";

/**
 * A manifest vouches for what lies beside it. Each segment was verified when it was put, which may be hours ago: so the folder
 * is listed once more right before the manifest is written. Throws STORE_FAILED where something is missing or has another size.
 */
export async function requireSegments(
  tier: Tier,
  ref: BackupRef,
  { segments }: Pick<Manifest, "segments">,
  signal: AbortSignal,
): Promise<void> {
  const sizes = await sizesOn(tier, ref, signal);
  const lost = segments.filter(({ name, size }) => sizes.get(name) !== size).map(({ name }) => name);
  if (lost.length === 0) return;
  const named = `${lost.slice(0, 3).join(", ")}${lost.length > 3 ? ", …" : ""}`;
  throw new TrivaultError(
    "STORE_FAILED",
    `${lost.length} of ${segments.length} segments of backup ${ref.backupId} that were verified on ${tier.name} are not there any more (${named}), so no manifest is written. ` +
      "Something else deletes there: another site, a copy of this one, or a clean-up of the server's own. Find it; the copy is tried again.",
  );
}
