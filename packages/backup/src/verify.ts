import { backupKey, codeOf, MANIFEST, messageOf, type SignedManifest, totalSize } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { forEachConcurrently } from "./concurrency.ts";
import { readManifest } from "./copies.ts";
import type { BackupRef, Progress } from "./site.ts";
import { provesBad, requireAbsent } from "./standing.ts";
import { isTrusted, requireTrusted, type Trust } from "./trust.ts";

export interface Verification {
  readonly tier: string;
  readonly good: boolean;
  readonly bytes: number;
  readonly seconds: number;
  /** What is proven wrong, by file. */
  readonly damage: readonly FileProblem[];
  /** What could not be read, so that nothing is known of it. */
  readonly unread: readonly FileProblem[];
  /** A trusted key signed the manifest that the bytes were compared with: only then is damage proven. */
  readonly trusted: boolean;
}

export interface FileProblem {
  readonly file: string;
  readonly problem: string;
}

/**
 * Reads every byte of a copy where it lies and compares it with the signed manifest. Damage is the expected outcome of
 * looking for it, so it is returned, as is what of it could not be read; only being unable to look at all is thrown.
 */
export async function verifyCopy(
  tier: Tier,
  ref: BackupRef,
  trust: Trust,
  options: { signal: AbortSignal; allowUnsigned: boolean; progress?: (progress: Progress) => void },
): Promise<Verification> {
  const begun = performance.now();
  const done = (found: Pick<Verification, "bytes" | "damage" | "unread" | "trusted">): Verification => ({
    tier: tier.name,
    good: found.damage.length === 0 && found.unread.length === 0,
    seconds: (performance.now() - begun) / 1000,
    ...found,
  });
  const damagedManifest = (problem: string) =>
    done({ bytes: 0, damage: [{ file: MANIFEST, problem }], unread: [], trusted: false });
  let signed: SignedManifest;
  try {
    const stored = await readManifest(tier, ref, {
      signal: options.signal,
      trustedKeys: trust.trustedKeys,
      anyOrigin: true, // so that `requireTrusted` says what is wrong with it
    });
    if (!stored) {
      await requireAbsent(tier, ref, options.signal);
      return damagedManifest("is missing: there is no complete copy here");
    }
    requireTrusted(stored.signed, trust, options.allowUnsigned);
    signed = stored.signed;
  } catch (error) {
    if (provesBad(error)) return damagedManifest(messageOf(error));
    throw error;
  }
  const { manifest } = signed;
  const damage: FileProblem[] = [];
  const unread: FileProblem[] = [];
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
      try {
        if (!(await tier.store.holds(key, segment, { signal }))) {
          damage.push({ file: segment.name, problem: "is missing or does not hold the bytes that the manifest lists" });
        }
      } catch (error) {
        signal.throwIfAborted();
        if (codeOf(error) === "STORE_UNREACHABLE") throw error; // Nor can the others be read.
        unread.push({ file: segment.name, problem: `could not be read: ${messageOf(error)}` });
      }
      bytes += segment.size;
      segments++;
      options.progress?.({ bytes, totalBytes, segments });
    },
  );
  const sorted = (found: FileProblem[]) => found.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  return done({ bytes, damage: sorted(damage), unread: sorted(unread), trusted: isTrusted(signed, trust.trustedKeys) });
}
