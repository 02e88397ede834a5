import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { TrivaultError, unguardFolder } from "@trivault/core";
import { loadOrCreateSigningKey } from "@trivault/crypto";
import { findSites, type FoundSites } from "./find-sites.ts";
import { beginSite, markTiers, type SiteDeps } from "./require-site.ts";
import { guardSite, readSite, settleSite, siteFile, type SiteIdentity } from "./site-identity.ts";
import { loadTrust } from "./trust.ts";

/** What a person says of a folder that `requireSite` will not decide about. */

/** What a copy carries along of what the original has in the making; it is not the copy's to end or to delete. */
const IN_THE_MAKING = ["runs", "spool", "redis", "in-use", "inventory", "maintenance", "heartbeats"];

/**
 * A site of its own, whatever the tiers hold. A folder that held one gets another id and another signing key (the old one is
 * kept beside it), so that the two do not take each other's backups for their own.
 */
export async function beginNewSite(deps: SiteDeps): Promise<SiteIdentity> {
  const { config } = deps;
  unguardFolder(config.backupDir);
  const before = await readSite(config);
  if (before !== null) {
    const { signingKeyFile, backupDir } = config;
    for (const each of IN_THE_MAKING) {
      await rm(path.join(backupDir, ".trivault", each), { recursive: true, force: true });
    }
    if (existsSync(signingKeyFile)) await rename(signingKeyFile, `${signingKeyFile}.of-${before.id}`);
    await rm(siteFile(config));
  }
  const site = await beginSite(deps);
  guardSite(config);
  return site;
}

/** The site that the tiers know goes on in this folder, which has lost it. Its key, or a key that is trusted here, vouches for it. */
export async function recoverSite(deps: SiteDeps, wanted: string | null): Promise<SiteIdentity> {
  const { config, tiers, signal, now } = deps;
  unguardFolder(config.backupDir);
  const standing = await readSite(config);
  if (standing !== null) {
    const message = `${config.backupDir} holds the site ${standing.id}: there is nothing to recover. If it is a copy, say \`npm run backup:site:move\` or \`npm run backup:site:new\`.`;
    throw new TrivaultError("EXISTS", message, { permanent: true });
  }
  const found = await findSites(tiers, signal);
  const { id, createdAt, signingKey } = chooseSite(found, wanted);
  const { trustedKeys } = await loadTrust(config);
  const known = signingKey === null ? found.signers.map(({ publicKey }) => publicKey) : [signingKey];
  if (!known.some((key) => key !== null && trustedKeys.includes(key))) {
    throw new TrivaultError(
      "UNTRUSTED",
      `Nothing here vouches for that site: its signing key is ${signingKey ?? "not known"}. Put its key file back (${config.signingKeyFile}), or, if you know that public key (keys generate printed it), put it into BACKUP_TRUSTED_KEYS; then say this again.`,
      { permanent: true },
    );
  }
  const { publicKey } = await loadOrCreateSigningKey(config.signingKeyFile);
  if (id === null) return beginSite(deps);
  await settleSite(config, { id, createdAt: createdAt ?? now().toISOString(), signingKey: publicKey });
  await markTiers(deps);
  guardSite(config);
  return requireWritten(deps);
}

/** The folder is the site's own from now on, where and on whichever host it lies. */
export async function moveSite(deps: SiteDeps): Promise<SiteIdentity> {
  const { config } = deps;
  const site = await readSite(config);
  if (site === null) {
    const message = `${config.backupDir} holds no site that could have moved. To go on with the one that the tiers know, say \`npm run backup:site:recover\`.`;
    throw new TrivaultError("NOT_FOUND", message, { permanent: true });
  }
  await settleSite(config, { ...site, hosts: [] });
  return requireWritten(deps);
}

async function requireWritten({ config }: SiteDeps): Promise<SiteIdentity> {
  const site = await readSite(config);
  if (site === null) throw new Error("the site's identity vanished while it was made");
  return site;
}

/** `id` is null where a version before this one made the backups. */
function chooseSite(
  { marks, signers, unreachable }: FoundSites,
  wanted: string | null,
): { readonly id: string | null; readonly createdAt: string | null; readonly signingKey: string | null } {
  const good = marks.flatMap(({ mark }) => (mark === null ? [] : [mark]));
  const sites = new Map(good.map((mark) => [mark.id, mark]));
  const ids = [...sites.keys()];
  const chosen = wanted === null ? (ids.length === 1 ? ids[0] : undefined) : wanted;
  const site = chosen === undefined ? undefined : sites.get(chosen);
  if (site !== undefined) return site;
  if (wanted === null && ids.length === 0 && signers.length > 0) return { id: null, createdAt: null, signingKey: null };
  const silent = unreachable.map(({ tier, reason }) => ` The tier ${tier} could not be asked: ${reason}`).join("");
  const which =
    ids.length === 0
      ? "No tier knows a site, and none holds a backup: there is nothing to recover."
      : `${wanted === null ? "Several sites use these tiers" : `No site ${wanted} uses these tiers`}; say which with --site: ${ids.join(", ")}.`;
  throw new TrivaultError("NOT_FOUND", `${which}${silent}`, { permanent: unreachable.length === 0 });
}
