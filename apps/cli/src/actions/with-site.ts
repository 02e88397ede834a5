import { auditFolder, openAuditLog } from "@trivault/audit";
import { loadOrCreateSigningKey, type SigningKey } from "@trivault/crypto";
import type { MaintenanceSite } from "@trivault/maintenance";
import { openTiers } from "@trivault/storage";
import type { Environment } from "../environment.ts";

/** A site for whatever makes no backups: it needs no recipients, as it seals nothing. */
export async function withSite<T>(
  { config, log }: Environment,
  use: (site: MaintenanceSite) => Promise<T>,
): Promise<T> {
  const now = () => new Date();
  const [local, ...others] = openTiers(config.tiers);
  if (local === undefined) throw new RangeError("a configuration always has the local tier");
  const tiers: MaintenanceSite["tiers"] = [local, ...others];
  const audit = openAuditLog(auditFolder(config.backupDir), { now, log });
  let signingKey: Promise<SigningKey> | null = null;
  try {
    return await use({
      config,
      tiers,
      now,
      record: audit.record,
      sealer: () => {
        throw new Error("this command makes no backups");
      },
      signingKey: () => (signingKey ??= loadOrCreateSigningKey(config.signingKeyFile)),
    });
  } finally {
    await audit.close();
    await Promise.all(tiers.map((tier) => tier.store.close()));
  }
}
