import { access, constants } from "node:fs/promises";
import { requireSite, type Site } from "@trivault/backup";
import { type Config, ensureFolder, type Logger, messageOf, TrivaultError } from "@trivault/core";
import { checkRecipients, createSealer, loadOrCreateSigningKey, type Sealer, type SigningKey } from "@trivault/crypto";
import { openTiers, type Tier } from "@trivault/storage";

export interface OpenSite extends Site {
  close(): Promise<void>;
}

/** Everything that the stages need, opened lazily: no connection is made and no thread started before its first use. */
export async function openSite(config: Config, now: () => Date = () => new Date()): Promise<OpenSite> {
  const { encryption } = config;
  if (encryption.mode === "age") checkRecipients(encryption.recipients);
  await checkWritable(config.backupDir);
  const [local, ...others] = openTiers(config.tiers);
  if (local === undefined) throw new RangeError("a configuration always has the local tier");
  const tiers: [Tier, ...Tier[]] = [local, ...others];
  let sealer: Sealer | null = null;
  let signingKey: Promise<SigningKey> | null = null;
  return {
    config,
    tiers,
    now,
    sealer: () =>
      (sealer ??= createSealer({
        recipients: encryption.mode === "age" ? encryption.recipients : null,
        segmentSize: config.segmentSize,
      })),
    signingKey: () => (signingKey ??= loadOrCreateSigningKey(config.signingKeyFile)),
    async close() {
      await sealer?.close();
      await Promise.all(tiers.map((tier) => tier.store.close()));
    },
  };
}

/**
 * For whoever is going to write, delete or sign: BACKUP_DIR is this site's, or a site begins there for the first time. Throws
 * where that is a question for a person (packages/backup, require-site.ts).
 */
export async function requireOwnSite(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  await checkWritable(config.backupDir);
  const tiers = openTiers(config.tiers);
  try {
    await requireSite({ config, tiers, now: () => new Date(), log, signal });
  } finally {
    await Promise.all(tiers.map((tier) => tier.store.close()));
  }
}

async function checkWritable(directory: string): Promise<void> {
  try {
    await ensureFolder(directory);
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new TrivaultError(
      "STORE_REFUSED",
      `BACKUP_DIR ${directory} cannot be written (${messageOf(cause)}). Make it writable for this user, or set BACKUP_DIR to another folder.`,
      { permanent: true, cause },
    );
  }
}
