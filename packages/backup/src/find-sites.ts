import { MANIFEST, messageOf, siteIdOf, splitKey, databaseOf } from "@trivault/core";
import { checkManifest } from "@trivault/crypto";
import type { Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";
import type { BackupRef } from "./site.ts";
import { readSiteMark, type SiteMark } from "./site-mark.ts";

/** What tiers show about the sites that use them. */
export interface FoundSites {
  /** Null for what a mark should be and is not. */
  readonly marks: readonly { readonly tier: string; readonly id: string; readonly mark: SiteMark | null }[];
  /** Who signed the newest backups of each tier; null where that is unknown. */
  readonly signers: readonly { readonly tier: string; readonly backupId: string; readonly publicKey: string | null }[];
  readonly unreachable: readonly { readonly tier: string; readonly reason: string }[];
}

/** Backups of a tier whose manifests are read: keys change seldom. */
const NEWEST = 10;

/** Lists each tier whole. Done where a site is begun, so once in its life. */
export async function findSites(tiers: readonly Tier[], signal: AbortSignal): Promise<FoundSites> {
  const looks = await Promise.all(
    tiers.map(async (tier) => {
      try {
        return await lookAt(tier, signal);
      } catch (error) {
        signal.throwIfAborted();
        return { marks: [], signers: [], unreachable: [{ tier: tier.name, reason: messageOf(error) }] };
      }
    }),
  );
  return {
    marks: looks.flatMap(({ marks }) => marks),
    signers: looks.flatMap(({ signers }) => signers),
    unreachable: looks.flatMap(({ unreachable }) => unreachable),
  };
}

async function lookAt(tier: Tier, signal: AbortSignal): Promise<FoundSites> {
  const ids: string[] = [];
  const refs: BackupRef[] = [];
  for await (const { key } of tier.store.list("", { signal })) {
    const id = siteIdOf(key);
    if (id !== null) ids.push(id);
    const parts = splitKey(key);
    const database = parts?.file === MANIFEST ? databaseOf(parts.directory) : null;
    if (parts !== null && database !== null) refs.push({ database, backupId: parts.backupId });
  }
  const newest = refs.toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1)).slice(0, NEWEST);
  const marks = await Promise.all(
    ids.slice(0, 1000).map(async (id) => ({ tier: tier.name, id, mark: await readSiteMark(tier, id, signal) })),
  );
  const signers = await Promise.all(
    newest.map(async (ref) => {
      const asked = { signal, trustedKeys: [], anyOrigin: true };
      const stored = await readManifest(tier, ref, asked).catch(() => null);
      signal.throwIfAborted();
      const signed = stored !== null && checkManifest(stored.signed, []) === "unknown-key" ? stored.signed : null;
      return { tier: tier.name, backupId: ref.backupId, publicKey: signed?.signature?.publicKey ?? null };
    }),
  );
  return { marks, signers, unreachable: [] };
}
