import { backupKey, messageOf, type SignedManifest, totalSize } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { forEachConcurrently } from "./concurrency.ts";
import { readManifest } from "./copies.ts";
import type { BackupRef, Progress } from "./site.ts";
import { requireTrusted, type Trust } from "./trust.ts";

export interface Verification {
  readonly tier: string;
  readonly good: boolean;
  readonly bytes: number;
  readonly seconds: number;
  /** What is wrong, by file; empty where all is well. */
  readonly damage: readonly { readonly file: string; readonly problem: string }[];
}

/**
 * Reads every byte of a copy where it lies and compares it with the signed manifest. Damage is the expected outcome of
 * looking for it, so it is returned; only being unable to look is thrown.
 */
export async function verifyCopy(
  tier: Tier,
  ref: BackupRef,
  trust: Trust,
  options: { signal: AbortSignal; allowUnsigned: boolean; progress?: (progress: Progress) => void },
): Promise<Verification> {
  const begun = performance.now();
  const done = (good: boolean, bytes: number, damage: Verification["damage"]): Verification => ({
    tier: tier.name,
    good,
    bytes,
    seconds: (performance.now() - begun) / 1000,
    damage,
  });
  const damagedManifest = (problem: string) => done(false, 0, [{ file: "manifest.json", problem }]);
  let signed: SignedManifest;
  try {
    const stored = await readManifest(tier, ref, options.signal);
    if (!stored) return damagedManifest("is missing: there is no complete copy here");
    requireTrusted(stored.signed, trust, options.allowUnsigned);
    signed = stored.signed;
  } catch (error) {
    if (isDamage(error)) return damagedManifest(messageOf(error));
    throw error;
  }
  const { manifest } = signed;
  const damage: { file: string; problem: string }[] = [];
  const totalBytes = totalSize(manifest);
  let bytes = 0;
  let segments = 0;
  await forEachConcurrently(
    async function* each() {
      yield* manifest.segments;
    },
    { limit: 3, signal: options.signal },
    async (segment, signal) => {
      const key = backupKey(ref.database, ref.backupId, segment.name);
      if (!(await tier.store.holds(key, segment, { signal }))) {
        damage.push({ file: segment.name, problem: "is missing or does not hold the bytes that the manifest lists" });
      }
      bytes += segment.size;
      segments++;
      options.progress?.({ bytes, totalBytes, segments });
    },
  );
  return done(
    damage.length === 0,
    bytes,
    damage.toSorted((a, b) => (a.file < b.file ? -1 : 1)),
  );
}

function isDamage(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "CORRUPT" || code === "UNTRUSTED";
}
