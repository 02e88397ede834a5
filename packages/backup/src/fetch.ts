import { backupKey, codeOf, messageOf, type Segment, TrivaultError } from "@trivault/core";
import type { Opener } from "@trivault/crypto";
import { readSized, type Tier } from "@trivault/storage";
import type { BackupRef } from "./site.ts";

/** What says of a segment that it is not there, or not what it was. Any other error says nothing of it. */
const PROOF: ReadonlySet<string | undefined> = new Set(["CORRUPT", "NOT_FOUND"]);

export interface Fetched {
  /** The verified plaintext. */
  readonly plain: Uint8Array;
  readonly tier: string;
}

/**
 * One segment from the first tier that has a good one: hash of the ciphertext, decryption, hash of the plaintext, all
 * before anybody sees a byte. A tier that fails or lies is reported and the next one is asked.
 */
export async function fetchSegment(
  tiers: readonly Tier[],
  ref: BackupRef,
  segment: Segment,
  opener: Opener,
  options: { signal: AbortSignal; onBad: (tier: string, problem: string) => void },
): Promise<Fetched> {
  const problems: string[] = [];
  let proven = true;
  for (const tier of tiers) {
    try {
      const key = backupKey(ref.database, ref.backupId, segment.name);
      const chunks = tier.store.get(key, { signal: options.signal, reuseChunks: true });
      const cipher = await readSized(chunks, segment.size, segment.name);
      return { plain: await opener.open(cipher, segment), tier: tier.name };
    } catch (error) {
      options.signal.throwIfAborted();
      // A wrong identity is wrong for every tier, and no tier is to blame.
      if (error instanceof TrivaultError && error.code === "DECRYPT_FAILED") throw error;
      problems.push(`${tier.name}: ${messageOf(error)}`);
      proven &&= PROOF.has(codeOf(error));
      options.onBad(tier.name, messageOf(error));
    }
  }
  const reasons = problems.join(" ");
  if (!proven) {
    throw new TrivaultError("STORE_FAILED", `No tier gave out ${segment.name} of backup ${ref.backupId}. ${reasons}`);
  }
  throw new TrivaultError("CORRUPT", `No tier has a good ${segment.name} of backup ${ref.backupId}. ${reasons}`, {
    permanent: true,
  });
}
