import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { type Config, type Logger, messageOf, readdirOrEmpty, TrivaultError, unguardFolder } from "@trivault/core";
import { loadOrCreateSigningKey, loadSigningKey } from "@trivault/crypto";
import type { Tier } from "@trivault/storage";
import { findSites, type FoundSites } from "./find-sites.ts";
import { createSite, guardSite, readSite, settleSite, type SiteIdentity, whereabouts } from "./site-identity.ts";
import { ensureSiteMark } from "./site-mark.ts";

export interface SiteDeps {
  readonly config: Config;
  readonly tiers: readonly Tier[];
  readonly now: () => Date;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A process that beats every ten seconds is alive. */
const ALIVE_MS = 60_000;

/**
 * Before anything is written, deleted or signed: this folder is the site's, or a site begins here for the first time. A missing
 * identity is a first start only where every tier can be asked and holds nothing that another key signed; a folder that lies
 * elsewhere than it says is a copy. Otherwise throws CONFIG_INVALID, which names what a person can say. From then on nothing is
 * read or made in a folder that vanishes under this process.
 */
export async function requireSite(deps: SiteDeps): Promise<void> {
  const { config } = deps;
  const site = await readSite(config);
  if (site === null) await beginFirst(deps);
  else {
    requireKey(config, site);
    await requireOriginal(config, site);
  }
  guardSite(config);
}

async function beginFirst(deps: SiteDeps): Promise<void> {
  const { config, tiers, signal } = deps;
  unguardFolder(config.backupDir);
  const own = existsSync(config.signingKeyFile) ? (await loadSigningKey(config.signingKeyFile)).publicKey : null;
  const found = await findSites(tiers, signal);
  // Another process of the site may have begun it meanwhile.
  if ((await readSite(config)) !== null) return;
  refuseOthers(config, found, own);
  await beginSite(deps);
}

/** From now on there is a site here, and the tiers that can be reached know it. */
export async function beginSite(deps: SiteDeps): Promise<SiteIdentity> {
  const { config, now } = deps;
  const { publicKey } = await loadOrCreateSigningKey(config.signingKeyFile);
  const site = await createSite(config, publicKey, now());
  if (site === null) throw new Error("the site's identity vanished while it was made");
  await markTiers(deps);
  return site;
}

/** Those that cannot be reached now get their mark with their next round of maintenance. */
export async function markTiers({ config, tiers, log, signal }: SiteDeps): Promise<void> {
  const key = () => loadOrCreateSigningKey(config.signingKeyFile);
  await Promise.all(
    tiers.map((tier) =>
      ensureSiteMark(config, tier, key, signal).catch((error: unknown) =>
        log.warn({ tier: tier.name, reason: messageOf(error) }, "the tier does not know this site yet"),
      ),
    ),
  );
}

function refuseOthers({ backupDir }: Config, { marks, signers, unreachable }: FoundSites, own: string | null): void {
  // A version before this one left backups and no marks.
  const ours = own !== null && marks.length === 0 && signers.some(({ publicKey }) => publicKey === own);
  if (ours) return;
  const holders = [...new Set([...marks, ...signers].map(({ tier }) => tier))];
  const choices =
    "If that is this site: is its disk mounted? Mount it again, or put the folder back. If the folder is lost, `npm run backup:site:recover` goes on with that site here. " +
    "If this is another site on the same tiers, `npm run backup:site:new` begins it beside the first.";
  if (holders.length > 0) {
    const sites = [...new Set(marks.map(({ id }) => id))];
    const whose = sites.length > 0 ? `are used by the site ${sites.slice(0, 5).join(", ")}` : "hold backups of a site";
    throw refusal(
      `BACKUP_DIR ${backupDir} holds no site, but the tiers ${holders.join(", ")} ${whose}. Nothing is started, so that no other site begins in its place. ${choices}`,
    );
  }
  if (unreachable.length === 0) return;
  const silent = unreachable.map(({ tier, reason }) => `${tier} could not be asked (${reason})`).join("; ");
  throw refusal(
    `BACKUP_DIR ${backupDir} holds no site, and whether this is its first start cannot be known: ${silent}. Correct that and start again. If no backup was made before, \`npm run backup:site:new\` begins the site without asking them.`,
  );
}

function requireKey({ signingKeyFile }: Config, { signingKey }: SiteIdentity): void {
  if (existsSync(signingKeyFile)) return;
  throw refusal(
    `The signing key of this site, ${signingKeyFile}, is gone. Put it back from where it is kept (BACKUP_SIGNING_KEY_FILE). If it is lost, \`npm run backup:keys:generate\` makes a new one; older backups are then trusted with BACKUP_TRUSTED_KEYS=${signingKey}.`,
  );
}

async function requireOriginal(config: Config, site: SiteIdentity): Promise<void> {
  const here = await whereabouts(config, site);
  const knownHost = site.hosts.includes(here.host);
  if (here.original) {
    // A disk that was cloned with its machine has the same inodes; a volume that several machines share has their heartbeats.
    if (knownHost || !here.host.startsWith("machine:") || (await isInUse(config))) {
      if (!knownHost || here.path !== site.path) await settleSite(config, site);
      return;
    }
    throw copied(config, site, "was last used on another machine");
  }
  // Restored in its place, or on a file system that gives new inodes with each mount.
  if (!knownHost || here.path !== site.path) throw copied(config, site, `is a copy of ${site.path}`);
  await settleSite(config, site);
}

function copied({ backupDir }: Config, { id }: SiteIdentity, what: string): TrivaultError {
  return refusal(
    `BACKUP_DIR ${backupDir} ${what}, where the site ${id} may still be at work: two of one site delete each other's backups in the making. ` +
      "If the site has moved here and nobody uses the other folder any more, say `npm run backup:site:move`. If this is to be a site of its own, say `npm run backup:site:new`.",
  );
}

async function isInUse({ backupDir }: Config): Promise<boolean> {
  const folder = path.join(backupDir, ".trivault/heartbeats");
  for (const name of await readdirOrEmpty(folder)) {
    const beat = await stat(path.join(folder, name)).catch(() => null);
    if (beat !== null && Math.abs(Date.now() - beat.mtimeMs) < ALIVE_MS) return true;
  }
  return false;
}

function refusal(message: string): TrivaultError {
  return new TrivaultError("CONFIG_INVALID", message, { permanent: true });
}
