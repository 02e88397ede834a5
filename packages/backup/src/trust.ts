import { existsSync } from "node:fs";
import { type Config, isReference, type SignedManifest, TrivaultError } from "@trivault/core";
import { checkManifest, loadSigningKey, readIdentityFile } from "@trivault/crypto";

/** What a reader of backups can open and believes. */
export interface Trust {
  /** Null where no identity file is configured: encrypted backups can be checked, but not opened. */
  readonly identities: readonly string[] | null;
  readonly trustedKeys: readonly string[];
}

/**
 * Keys come from three places: BACKUP_TRUSTED_KEYS, the identity file (its `# signing public key:` lines), and this
 * machine's own signing key, which is here on a machine that makes backups.
 */
export async function loadTrust(config: Config): Promise<Trust> {
  const file = config.identityFile === null ? null : await readIdentityFile(config.identityFile);
  const own =
    isReference(config.signingKeyFile) || existsSync(config.signingKeyFile)
      ? [(await loadSigningKey(config.signingKeyFile)).publicKey]
      : [];
  return {
    identities: file?.identities ?? null,
    trustedKeys: [...new Set([...config.trustedKeys, ...(file?.trustedKeys ?? []), ...own])],
  };
}

/** As `loadTrust`, for whoever opens nothing: an identity file that lies elsewhere, or is protected, is simply not asked. */
export async function siteTrust({ config }: { readonly config: Config }): Promise<Trust> {
  const { trustedKeys } = await loadTrust({ ...config, identityFile: null });
  const file = config.identityFile === null ? null : await readIdentityFile(config.identityFile).catch(() => null);
  return { identities: null, trustedKeys: [...new Set([...trustedKeys, ...(file?.trustedKeys ?? [])])] };
}

export function isTrusted(signed: SignedManifest, trustedKeys: readonly string[]): boolean {
  return checkManifest(signed, trustedKeys) === "trusted";
}

/** Throws UNTRUSTED unless the manifest is signed by a trusted key; `anyOrigin` lets all but a wrong signature pass. */
export function requireTrusted(signed: SignedManifest, trust: Trust, anyOrigin: boolean): void {
  const verdict = checkManifest(signed, trust.trustedKeys);
  if (verdict === "trusted") return;
  const { id } = signed.manifest;
  if (verdict === "bad-signature") {
    throw new TrivaultError(
      "UNTRUSTED",
      `The manifest of backup ${id} was changed after it was signed: its signature does not fit. Do not restore it; take another tier or another backup.`,
      { permanent: true },
    );
  }
  if (anyOrigin) return;
  if (verdict === "unsigned") {
    throw new TrivaultError(
      "UNTRUSTED",
      `The manifest of backup ${id} is not signed, so anybody could have written it.`,
      { permanent: true },
    );
  }
  throw new TrivaultError(
    "UNTRUSTED",
    `The manifest of backup ${id} is signed by a key that this machine does not know: ${signed.signature?.publicKey}. If it is yours (keys generate printed it, and the identity file holds it), put it into BACKUP_TRUSTED_KEYS.`,
    { permanent: true },
  );
}
