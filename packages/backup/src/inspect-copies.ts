import { type Config, type CopyState, type Manifest, messageOf } from "@trivault/core";
import { checkManifest, type ManifestTrust } from "@trivault/crypto";
import type { Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";
import type { BackupSummary } from "./list.ts";
import { provesBad, requireAbsent } from "./standing.ts";
import { siteTrust } from "./trust.ts";

export interface InspectedCopy {
  readonly tier: string;
  /**
   * `untrusted`: what its manifest holds was read, and no key that is trusted here vouches for it. `unknown`: it could not be
   * read, which says nothing of it. `none`: nothing of the backup lies there.
   */
  readonly state: Exclude<CopyState, "damaged"> | "none";
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
      const ref = { database: backup.database, backupId: backup.id };
      try {
        const stored = await readManifest(tier, ref, { signal, trustedKeys, anyOrigin: true });
        if (stored === null) {
          await requireAbsent(tier, ref, signal);
          return { ...nothing, state: listed ? "partial" : "none", problem: null };
        }
        const { manifest, signature } = stored.signed;
        const verdict = checkManifest(stored.signed, trustedKeys);
        const signedBy = signature?.publicKey ?? null;
        const state = verdict === "trusted" ? "complete" : "untrusted";
        return { ...nothing, state, manifest, signature: verdict, signedBy, problem: null };
      } catch (error) {
        signal.throwIfAborted();
        return { ...nothing, state: provesBad(error) ? "untrusted" : "unknown", problem: messageOf(error) };
      }
    }),
  );
}
