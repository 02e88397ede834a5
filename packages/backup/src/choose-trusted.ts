import { messageOf, TrivaultError } from "@trivault/core";
import { checkManifest, type ManifestTrust } from "@trivault/crypto";
import type { Tier } from "@trivault/storage";
import { readManifest } from "./copies.ts";
import { type BackupList, type BackupSummary, chooseBackup } from "./list.ts";
import { provesBad } from "./standing.ts";
import type { Trust } from "./trust.ts";

/** A backup that is newer than the one chosen: no key known here vouches for it, or none of its manifests could be read. */
export interface PassedOver {
  readonly id: string;
  /** Where it lies. */
  readonly tiers: readonly string[];
  readonly reason: string;
}

export interface Chosen {
  readonly backup: BackupSummary;
  /** Newest first. */
  readonly passedOver: readonly PassedOver[];
}

export interface ChooseOptions {
  readonly trust: Pick<Trust, "trustedKeys">;
  readonly signal: AbortSignal;
}

/** Better first; `unreadable` may be any of the others. */
const VERDICTS = ["trusted", "unreadable", "unknown-key", "unsigned", "bad-signature", "no-manifest"] as const;
type Verdict = (typeof VERDICTS)[number] & (ManifestTrust | "unreadable" | "no-manifest");

const REASONS: Readonly<Record<ManifestTrust & Exclude<Verdict, "trusted">, string>> = {
  "unknown-key": "signed by a key that is not known here",
  unsigned: "not signed",
  "bad-signature": "changed after it was signed",
};

/**
 * The backup that `wanted` names: an id, or `latest`, the newest that a trusted key signed. Whoever can write to one tier can
 * put a folder there that is dated in a hundred years: it is passed over, and named. Throws NOT_FOUND, or UNTRUSTED where
 * there are backups and none of them is trusted.
 */
export async function chooseTrusted(
  tiers: readonly Tier[],
  list: BackupList,
  database: string,
  wanted: string,
  options: ChooseOptions,
): Promise<Chosen> {
  const newest = chooseBackup(list, database, wanted);
  if (wanted !== "latest") return { backup: newest, passedOver: [] };
  const passedOver: PassedOver[] = [];
  const verdicts = new Set<Verdict>();
  for (const backup of list.backups) {
    if (backup.database !== database || !backup.copies.some(({ complete }) => complete)) continue;
    const { verdict, reason } = await judge(tiers, backup, options);
    if (verdict === "trusted") return { backup, passedOver };
    verdicts.add(verdict);
    passedOver.push({ id: backup.id, tiers: backup.copies.map(({ tier }) => tier), reason });
  }
  const ours =
    "If they are yours (`keys generate` printed the signing key, and the identity file holds it), put that key into BACKUP_TRUSTED_KEYS. To restore one all the same, because you know where it comes from, name it: --backup ID --allow-unsigned.";
  throw new TrivaultError(
    "UNTRUSTED",
    `No backup of the database ${JSON.stringify(database)} is signed by a key that this machine knows: ${namePassedOver(passedOver)}. ${[...verdicts].some(mayPass) ? ours : "Ask another tier."}`,
    { permanent: !verdicts.has("unreadable") && list.unreachable.length === 0 },
  );
}

/** What `--allow-unsigned` lets pass. */
function mayPass(verdict: Verdict): boolean {
  return verdict === "unknown-key" || verdict === "unsigned";
}

/** What to do about a backup that was named and is not trusted: another one, where there is one that is. */
export async function adviseInstead(
  tiers: readonly Tier[],
  list: BackupList,
  refused: BackupSummary,
  options: ChooseOptions,
): Promise<string> {
  try {
    const { backup } = await chooseTrusted(tiers, list, refused.database, "latest", options);
    return `The newest backup of ${backup.database} that is trusted is ${backup.id}.`;
  } catch {
    options.signal.throwIfAborted();
    const { verdict } = await judge(tiers, refused, options);
    return mayPass(verdict)
      ? "To restore it all the same, because you know where it comes from, say --allow-unsigned."
      : "";
  }
}

/** As many as a line holds, and how many there are besides. */
export function namePassedOver(passedOver: readonly PassedOver[]): string {
  const named = passedOver.slice(0, 5).map(({ id, tiers, reason }) => `${id} (on ${tiers.join(", ")}: ${reason})`);
  const more = passedOver.length - named.length;
  return `${named.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

/** By the best of its copies: the bytes that a trusted key signed are as good from any tier. */
async function judge(
  tiers: readonly Tier[],
  backup: BackupSummary,
  { trust, signal }: ChooseOptions,
): Promise<{ readonly verdict: Verdict; readonly reason: string }> {
  const found = new Map<Verdict, string>();
  for (const tier of tiers) {
    if (!backup.copies.some((copy) => copy.tier === tier.name && copy.complete)) continue;
    try {
      const ref = { database: backup.database, backupId: backup.id };
      const stored = await readManifest(tier, ref, { signal, trustedKeys: trust.trustedKeys, anyOrigin: true });
      const verdict = stored === null ? null : checkManifest(stored.signed, trust.trustedKeys);
      if (verdict === "trusted") return { verdict, reason: "" };
      if (verdict !== null) found.set(verdict, REASONS[verdict]);
    } catch (error) {
      signal.throwIfAborted();
      found.set(provesBad(error) ? "no-manifest" : "unreadable", messageOf(error));
    }
  }
  const verdict = VERDICTS.find((each) => found.has(each)) ?? "unreadable";
  return { verdict, reason: found.get(verdict) ?? "gone since it was listed" };
}
