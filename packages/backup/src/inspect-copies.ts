import { type Config, type Manifest, messageOf } from "@trivault/core";
import { checkManifest, type ManifestTrust } from "@trivault/crypto";
import type { Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";
import type { BackupSummary } from "./list.ts";
import { siteTrust } from "./trust.ts";

export interface InspectedCopy {
  readonly tier: string;
  readonly state: "complete" | "partial" | "none" | "unknown";
  readonly bytes: number | null;
  readonly manifest: Manifest | null;
  readonly signature: ManifestTrust | null;
  /** The public key that the signature names. */
  readonly signedBy: string | null;
  readonly problem: string | null;
}

/** What each tier says of one backup, by its manifest alone. */
export async function inspectCopies(
  config: Config,
  tiers: readonly Tier[],
  backup: BackupSummary,
  signal: AbortSignal,
): Promise<InspectedCopy[]> {
  const { trustedKeys } = await siteTrust({ config });
  return Promise.all(
    tiers.map(async (tier): Promise<InspectedCopy> => {
      const listed = backup.copies.find((copy) => copy.tier === tier.name);
      const bytes = listed?.bytes ?? null;
      const nothing = { tier: tier.name, bytes, manifest: null, signature: null, signedBy: null };
      try {
        const ref = { database: backup.database, backupId: backup.id };
        const stored = await readManifest(tier, ref, { signal, trustedKeys, anyOrigin: true });
        if (stored === null) return { ...nothing, state: listed ? "partial" : "none", problem: null };
        const { manifest, signature } = stored.signed;
        const verdict = checkManifest(stored.signed, trustedKeys);
        const signedBy = signature?.publicKey ?? null;
        return { ...nothing, state: "complete", manifest, signature: verdict, signedBy, problem: null };
      } catch (error) {
        signal.throwIfAborted();
        return { ...nothing, state: "unknown", problem: messageOf(error) };
      }
    }),
  );
}
