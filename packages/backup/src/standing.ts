import { backupKey, codeOf, MANIFEST, messageOf, TrivaultError } from "@trivault/core";
import type { Tier } from "@trivault/storage";
import { readManifest, type StoredManifest } from "./copies.ts";
import type { BackupRef } from "./site.ts";

/** What was read of a copy's manifest. `bad`: the bytes there are no manifest of this backup that a trusted key signed. */
export type Standing =
  | { readonly is: "absent" }
  | { readonly is: "trusted"; readonly stored: StoredManifest }
  | { readonly is: "bad"; readonly problem: string };

/**
 * Reads the manifest of a copy and says what its bytes prove. Where they cannot be read, for whatever reason, nothing is
 * proven, and the error is thrown: a refusal, an overload or a disk's error says nothing of the copy. `objects`, where they
 * were listed, bound what is read.
 */
export async function readStanding(
  tier: Tier,
  ref: BackupRef,
  trustedKeys: readonly string[],
  signal: AbortSignal,
  objects?: number,
): Promise<Standing> {
  let stored: StoredManifest | null;
  try {
    stored = await readManifest(tier, ref, { signal, trustedKeys, ...(objects !== undefined && { objects }) });
  } catch (error) {
    if (provesBad(error)) return { is: "bad", problem: messageOf(error) };
    throw error;
  }
  if (stored !== null) return { is: "trusted", stored };
  await requireAbsent(tier, ref, signal);
  return { is: "absent" };
}

/** Whether an error of reading a manifest means that its bytes were read and are bad. Any other error says nothing of them. */
export function provesBad(error: unknown): boolean {
  const code = codeOf(error);
  return code === "CORRUPT" || code === "UNTRUSTED";
}

/** For a manifest that was not found. Throws where the tier shows one all the same: then nothing is known. */
export async function requireAbsent(tier: Tier, ref: BackupRef, signal: AbortSignal): Promise<void> {
  if ((await tier.store.stat(backupKey(ref.database, ref.backupId, MANIFEST), { signal })) === null) return;
  throw new TrivaultError(
    "STORE_FAILED",
    `${tier.name} shows a manifest of backup ${ref.backupId} and does not give it out. Look at that server.`,
  );
}
